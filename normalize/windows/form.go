// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"encoding/json"
	"strconv"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
)

// record is an event in whatever form it came.
type record struct {
	form              *form
	root              jsontape.Value
	id                int64 // -1 if there is none
	number            []byte
	channel, provider []byte
	computer, sid     []byte // the machine; the account in whose name the provider wrote
	keywords          jsontape.Value
	data              jsontape.Value // an object: what the event says
	prefix            string         // of the names of its members
	apart             bool           // it is not the record itself
}

// form is a way to write an event as JSON.
type form struct {
	root                            string // the member in which all is; empty: the record itself
	id, channel, provider, computer [][]string
	time, keywords, by              [][]string
	data                            []string // members that have what the event says
	envelope                        members.Table
	flat                            bool // what the event says may stand beside
}

func paths(list ...[]string) [][]string { return list }

func at(names ...string) []string { return names }

// forms are the ways that are known, the most telling first. An attribute of XML is a member of #attributes, or its name
// begins with @, or it stands for itself.
var forms = []form{
	{
		root: "Event", envelope: xmlEnvelope,
		id:       paths(at("System", "EventID"), at("System", "EventID", "#text"), at("System", "EventID", "Value")),
		channel:  paths(at("System", "Channel")),
		provider: paths(at("System", "Provider", "#attributes", "Name"), at("System", "Provider", "@Name"), at("System", "Provider", "Name")),
		computer: paths(at("System", "Computer")),
		time:     paths(at("System", "TimeCreated", "#attributes", "SystemTime"), at("System", "TimeCreated", "@SystemTime"), at("System", "TimeCreated", "SystemTime")),
		keywords: paths(at("System", "Keywords")),
		by:       paths(at("System", "Security", "#attributes", "UserID"), at("System", "Security", "@UserID"), at("System", "Security", "UserID")),
		data:     []string{"EventData", "UserData"},
	},
	{
		root: "winlog", envelope: beatsEnvelope,
		id: paths(at("event_id")), channel: paths(at("channel")), provider: paths(at("provider_name")), computer: paths(at("computer_name")),
		time: paths(at("@timestamp")), keywords: paths(at("keywords")), by: paths(at("user", "identifier")),
		data: []string{"event_data", "user_data"},
	},
	{
		envelope: openTelemetryEnvelope,
		id:       paths(at("event_id", "id")), channel: paths(at("channel")), provider: paths(at("provider", "name")), computer: paths(at("computer")),
		time: paths(at("system_time")), keywords: paths(at("keywords")), by: paths(at("security", "user_id")),
		data: []string{"event_data"},
	},
	{
		flat: true, envelope: flatEnvelope,
		id: paths(at("EventID")), channel: paths(at("Channel")),
		provider: paths(at("SourceName"), at("ProviderName"), at("Provider_Name"), at("EventSourceName"), at("Provider"), at("Source_Name")),
		computer: paths(at("Hostname"), at("Computer")),
		time:     paths(at("EventTime"), at("TimeGenerated"), at("TimeCreated"), at("@timestamp"), at("UtcTime")),
		keywords: paths(at("Keywords"), at("EventType")), by: paths(at("UserID"), at("SystemUserId")),
		data: []string{"EventData"},
	},
}

// formOf tells the form of an event; nil if the object is none.
func formOf(root jsontape.Value) *form {
	if root.Kind() != jsontape.Object {
		return nil
	}
	for i := range forms {
		f := &forms[i]
		in := f.in(root)
		if in.Kind() != jsontape.Object || len(first(in, f.provider).Str()) == 0 && len(first(in, f.computer).Str()) == 0 {
			continue
		}
		if _, ok := first(in, f.id).Int(); ok && len(first(in, f.channel).Str()) > 0 {
			return f
		}
	}
	return nil
}

func (f *form) in(root jsontape.Value) jsontape.Value {
	if f.root == "" {
		return root
	}
	return root.Get(f.root)
}

// when is the event's time as text.
func (f *form) when(root jsontape.Value) jsontape.Value {
	if f.root == "winlog" { // the only thing that it has outside
		return first(root, f.time)
	}
	return first(f.in(root), f.time)
}

// first is the first scalar that there is at one of the paths.
func first(v jsontape.Value, list [][]string) jsontape.Value {
	for _, names := range list {
		if x := v.Path(names...); x.Exists() && x.Kind() != jsontape.Object && x.Kind() != jsontape.Null {
			return x
		}
	}
	return jsontape.Value{}
}

// open reads what all events have.
func open(root jsontape.Value) record {
	r := record{id: -1, root: root, data: root, form: formOf(root)}
	if r.form == nil {
		return r
	}
	f, in := r.form, r.form.in(root)
	id := first(in, f.id)
	r.id, _ = id.Int()
	r.number = id.Text()
	r.channel, r.provider = first(in, f.channel).Str(), first(in, f.provider).Str()
	r.computer, r.sid = first(in, f.computer).Str(), said(first(in, f.by))
	r.keywords = first(in, f.keywords)
	for _, name := range f.data {
		data := in.Get(name)
		if text := data.Str(); len(text) > 0 && text[0] == '<' {
			data = elements(text)
		}
		if name == "UserData" { // an element of the provider's own is in it
			if data = data.First(); data.Exists() {
				name += "." + string(data.Key())
			}
		}
		if data.Kind() != jsontape.Object {
			continue
		}
		r.data, r.apart = named(data), true
		r.prefix = name + "."
		if f.root != "" {
			r.prefix = f.root + "." + r.prefix
		}
		break
	}
	return r
}

// named makes of a list of elements, each with its name and its text, an object. An element without a name is called by
// its place, param1 and so on, as Winlogbeat does. What is such an object already is returned as it is.
//
//	{"Data":[{"@Name":"A","#text":"x"},{"#attributes":{"Name":"B"},"#text":"y"},"z"]}   becomes   {"A":"x","B":"y","param3":"z"}
func named(data jsontape.Value) jsontape.Value {
	list := data.Get("Data")
	if !list.Exists() {
		list = data.Get("data") // OpenTelemetry
	}
	if !list.Exists() {
		return data
	}
	w := objectWriter{text: []byte{'{'}}
	for v := data.First(); v.Exists(); v = v.Next() {
		if name := string(v.Key()); name != "Data" && name != "data" {
			w.member(name, v)
			continue
		}
		w.elements(v)
	}
	var tape jsontape.Tape
	if tape.Parse(append(w.text, '}')) != nil {
		return data
	}
	return tape.Root()
}

// param is what the nth element without a name is called.
func param(n int) string { return "param" + strconv.Itoa(n) }

type objectWriter struct {
	text []byte
	n    int // elements
}

func (w *objectWriter) member(name string, v jsontape.Value) {
	key, err := json.Marshal(name)
	if err != nil || !v.Exists() {
		return
	}
	if len(w.text) > 1 {
		w.text = append(w.text, ',')
	}
	w.text = append(append(append(w.text, key...), ':'), v.Raw()...)
}

func (w *objectWriter) elements(v jsontape.Value) {
	switch v.Kind() {
	case jsontape.Array:
		for x := v.First(); x.Exists(); x = x.Next() {
			w.elements(x)
		}
		return
	case jsontape.Object:
		name := v.Get("@Name")
		if !name.Exists() {
			name = v.Path("#attributes", "Name")
		}
		text := v.Get("#text")
		switch {
		case name.Exists():
			w.n++
			w.member(string(name.Text()), text)
			return
		case text.Exists():
			w.elements(text)
			return
		case v.Len() == 1 && len(v.First().Key()) > 0: // {"A":"x"}
			w.n++
			w.member(string(v.First().Key()), v.First())
			return
		}
		if v.Len() == 1 {
			v = v.First()
		}
	}
	w.n++
	w.member(param(w.n), v)
}
