// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// The HTTP event collector, as Splunk documents it ("HTTP Event Collector REST API endpoints", "Format events for HTTP
// Event Collector", "About HTTP Event Collector Indexer Acknowledgment").

// hecTexts are what Splunk's codes say, and hecStatus their status; clients compare both.
var hecTexts = map[int]string{
	0: "Success", 2: "Token is required", 3: "Invalid authorization", 4: "Invalid token", 5: "No data", 6: "Invalid data format", 7: "Incorrect index",
	8: "Internal server error", 9: "Server is busy", 10: "Data channel is missing", 11: "Invalid data channel", 12: "Event field is required",
	13: "Event field cannot be blank", 15: "Error in handling indexed fields", 16: "Query string authorization is not enabled",
	17: "HEC is healthy", 18: "HEC is unhealthy", 23: "Server is shutting down",
}

// hecAnswer is the body of every answer.
type hecAnswer struct {
	Text    string `json:"text"`
	Code    int    `json:"code"`
	Invalid *int   `json:"invalid-event-number,omitempty"`
	AckID   *int64 `json:"ackId,omitempty"`
}

func (r *Receiver) routeHEC(mux *http.ServeMux) {
	events := func(w http.ResponseWriter, req *http.Request) { r.hec(w, req, r.hecEvents) }
	for _, path := range []string{"", "/event", "/event/1.0"} {
		mux.HandleFunc("POST /services/collector"+path, events)
	}
	raw := func(w http.ResponseWriter, req *http.Request) { r.hec(w, req, r.hecRaw) }
	mux.HandleFunc("POST /services/collector/raw", raw)
	mux.HandleFunc("POST /services/collector/raw/1.0", raw)
	mux.HandleFunc("POST /services/collector/ack", r.hecAcks)
	mux.HandleFunc("GET /services/collector/health", r.hecHealth)
	mux.HandleFunc("GET /services/collector/health/1.0", r.hecHealth)
}

// hecHealth says whether records are taken. No token is needed: balancers have none.
func (r *Receiver) hecHealth(w http.ResponseWriter, _ *http.Request) {
	code, status := 17, http.StatusOK
	if r.stopping.Load() || r.o.Journal.Err() != nil {
		code, status = 18, http.StatusServiceUnavailable
	}
	answer(w, status, hecAnswer{Text: hecTexts[code], Code: code})
}

// splitter makes records of a body, up to the first mistake, which it names with the number of its event.
type splitter func(k *worker, req *http.Request, body []byte, b *batch) (invalid int, f *refusal)

// hec stores a body and answers.
func (r *Receiver) hec(w http.ResponseWriter, req *http.Request, split splitter) {
	f := r.hecAdmit(req)
	if f != nil {
		r.hecRefuse(w, f, nil)
		return
	}
	channel, f := hecChannel(req)
	if f != nil {
		r.hecRefuse(w, f, nil)
		return
	}
	body, free, f := r.body(w, req)
	defer free()
	b, invalid := new(batch), 0
	if f == nil {
		f = r.work(len(body), func(k *worker) (f *refusal) {
			invalid, f = split(k, req, body, b)
			return f
		})
	}
	if f == tooLarge {
		r.hecRefuse(w, f, nil)
		return
	}
	// What came before a mistake is stored: so does Splunk, and senders go on behind it.
	if _, g := r.store(req.Context(), peer(req.RemoteAddr), b); g != nil {
		r.hecRefuse(w, g, nil)
		return
	}
	switch {
	case f != nil && body != nil && f != noData:
		r.hecRefuse(w, f, &invalid)
	case f != nil:
		r.hecRefuse(w, f, nil)
	case channel != "":
		// Acked already: the id says no more than that this request was answered.
		id := r.acks.Add(1) - 1
		answer(w, http.StatusOK, hecAnswer{Text: hecTexts[0], AckID: &id})
	default:
		answer(w, http.StatusOK, hecAnswer{Text: hecTexts[0]})
	}
}

func (r *Receiver) hecAdmit(req *http.Request) *refusal {
	if req.Header.Get("Authorization") == "" && req.URL.Query().Has("token") {
		return queryToken
	}
	return r.admit(req, "Splunk", "Basic")
}

// hecChannel returns the channel of a request, "" if it has none.
func hecChannel(req *http.Request) (string, *refusal) {
	channel := req.Header.Get("X-Splunk-Request-Channel")
	if channel == "" {
		channel = req.URL.Query().Get("channel")
	}
	if channel != "" && !guid(channel) {
		return "", badChannel
	}
	return channel, nil
}

func guid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		hex := c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash && c != '-' || !dash && !hex {
			return false
		}
	}
	return true
}

// maxAcks is how many ids can be asked for at once.
const maxAcks = 10_000

// hecAcks says which requests are durable. Every id that was given out is one of those, on whatever channel; of an earlier run of the process
// nothing is known, and the sender sends again.
func (r *Receiver) hecAcks(w http.ResponseWriter, req *http.Request) {
	f := r.hecAdmit(req)
	var body []byte
	free := func() {}
	if f == nil {
		var channel string
		if channel, f = hecChannel(req); f == nil && channel == "" {
			f = noChannel
		}
	}
	if f == nil {
		body, free, f = r.body(w, req)
	}
	defer free()
	var asked struct {
		Acks []int64 `json:"acks"`
	}
	if f == nil && (json.Unmarshal(body, &asked) != nil || len(asked.Acks) > maxAcks) {
		f = malformed
	}
	if f != nil {
		r.hecRefuse(w, f, nil)
		return
	}
	given := r.acks.Load()
	acks := make(map[int64]bool, len(asked.Acks))
	for _, id := range asked.Acks {
		acks[id] = id >= 0 && id < given
	}
	answer(w, http.StatusOK, map[string]any{"acks": acks})
}

func (r *Receiver) hecRefuse(w http.ResponseWriter, f *refusal, invalid *int) {
	r.refuse(f)
	pushback(w, f)
	status := f.status
	if f == failed {
		status = http.StatusInternalServerError // code 8 goes with it
	}
	answer(w, status, hecAnswer{Text: hecTexts[f.code], Code: f.code, Invalid: invalid})
}

// hecEvents reads objects, one after another or a line each.
func (r *Receiver) hecEvents(k *worker, _ *http.Request, body []byte, b *batch) (int, *refusal) {
	for n := 0; ; n++ {
		body = bytes.TrimLeft(body, " \t\r\n")
		switch {
		case len(body) == 0 && n == 0:
			return 0, noData
		case len(body) == 0:
			return 0, nil
		case n >= r.o.MaxRecords:
			return 0, tooLarge
		}
		end, err := k.tape.ParsePrefix(body)
		root := k.tape.Root()
		if err != nil || root.Kind() != jsontape.Object {
			return n, malformed
		}
		if f := checkEvent(root); f != nil {
			return n, f
		}
		if !b.add(k.identify, r.hecRecord(root), hecTime(root.Get("time").Text())) {
			return n, malformed
		}
		body = body[end:]
	}
}

func checkEvent(root jsontape.Value) *refusal {
	e := root.Get("event")
	switch kind := e.Kind(); {
	case kind == jsontape.None:
		return noEvent
	case kind == jsontape.Null, kind == jsontape.String && len(bytes.TrimSpace(e.Str())) == 0:
		return blankEvent
	}
	if index := root.Get("index"); index.Exists() && index.Kind() != jsontape.String {
		return wrongIndex
	}
	if fields := root.Get("fields"); fields.Exists() {
		if fields.Kind() != jsontape.Object {
			return badFields
		}
		for v := fields.First(); v.Exists(); v = v.Next() {
			if v.Kind() == jsontape.Object {
				return badFields
			}
		}
	}
	return nil
}

// hecRecord is what of an event is the record: of a vendor's family the event, if it can be one; else all of it.
func (r *Receiver) hecRecord(root jsontape.Value) []byte {
	if r.o.Family == Generic {
		return root.Raw()
	}
	switch e := root.Get("event"); {
	case e.Kind() == jsontape.Object:
		return e.Raw()
	case e.Kind() == jsontape.String && object(e.Str()):
		return bytes.Clone(e.Str()) // some send the object as text
	}
	return root.Raw()
}

// object reports whether a text is an object of JSON, as far as that can be told for little.
func object(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 1 && text[0] == '{' && text[len(text)-1] == '}' && json.Valid(text)
}

// hecTime reads a time of HEC: seconds since the epoch, with a fraction. It returns 0 for what is none.
func hecTime(text []byte) int64 {
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || !(seconds > 0 && seconds < 9e9) {
		return 0
	}
	whole, part := math.Modf(seconds)
	return int64(whole)*1e9 + int64(math.Round(part*1e6))*1e3 // a float holds microseconds of these
}

// hecRaw reads lines: each becomes the event that it would be had its sender dressed it.
func (r *Receiver) hecRaw(k *worker, req *http.Request, body []byte, b *batch) (int, *refusal) {
	dressing := hecDressing(req.URL.Query())
	built, n := 0, 0
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if n++; n > r.o.MaxRecords {
			return 0, tooLarge
		}
		raw := line
		if r.o.Family == Generic || !object(line) {
			raw = append(appendText([]byte{'{'}, "event", line), dressing...)
			if built += len(raw); built > maxGrowth*r.o.MaxBody {
				return 0, tooLarge
			}
		}
		if !b.add(k.identify, raw, 0) {
			return n, malformed
		}
	}
	if n == 0 {
		return 0, noData
	}
	return 0, nil
}

// maxGrowth is by how much what is made of a body may be larger than a body may be.
const maxGrowth = 4

// hecDressing is the end of the object that a raw line becomes.
func hecDressing(q url.Values) []byte {
	var out []byte
	for _, name := range []string{"host", "source", "sourcetype", "index"} {
		if v := q.Get(name); v != "" {
			out = appendText(append(out, ','), name, []byte(v))
		}
	}
	return append(out, '}')
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever does not hear it sends again
}
