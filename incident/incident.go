// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/detect"
)

// Incident is an incident with all that is known of it.
type Incident struct {
	Summary
	// Aliases are ids that it had before it was merged with an older one; they are good still.
	Aliases []string `json:"aliases"`
	// Text says in sentences, made of facts alone, what happened.
	Text     string   `json:"summary"`
	Phases   []Phase  `json:"phases"`
	Entities []Entity `json:"entities"`
	List     []Alert  `json:"alerts"` // in the order of time
	// Truncated says that there are more alerts than are listed; what follows from alerts is
	// of those that are.
	Truncated bool    `json:"truncated,omitempty"`
	Timeline  []Entry `json:"timeline"`
	Graph     Graph   `json:"graph"`
	Blast     Blast   `json:"blast_radius"`
	History   []Step  `json:"history"` // what people decided

	names map[string]string // of applications, by id
}

// Phase is a tactic of ATT&CK with what was seen of it.
type Phase struct {
	Tactic     Tactic    `json:"tactic"`
	Techniques []string  `json:"techniques"` // "T1078.004"
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Alerts     []string  `json:"alerts"`
}

// Entity is somebody or something that alerts are about.
type Entity struct {
	Type   string    `json:"type"`
	ID     string    `json:"id"`
	Name   string    `json:"name,omitempty"`
	Roles  []string  `json:"roles"` // actor, target, source
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Alerts int       `json:"alert_count"`
}

// Entry is a moment of the timeline.
type Entry struct {
	Time   time.Time  `json:"time"`
	Last   *time.Time `json:"last,omitempty"` // of something that went on
	Kind   string     `json:"kind"`           // alert, event, arrival, decision
	Level  string     `json:"level,omitempty"`
	Title  string     `json:"title"`
	Text   string     `json:"text,omitempty"`
	Who    string     `json:"who,omitempty"`
	Alert  string     `json:"alert,omitempty"`
	Events []string   `json:"events"` // ids, which prove takes
}

// Step is something that people decided.
type Step struct {
	Time     time.Time `json:"time"`
	By       string    `json:"by"`
	Kind     string    `json:"kind"`     // state, assign, note, split, merge
	Incident string    `json:"incident"` // as it was called then
	State    string    `json:"state,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	With     string    `json:"with,omitempty"`
	Alerts   []string  `json:"alerts,omitempty"`
	Note     string    `json:"note,omitempty"`
	Act      string    `json:"act"` // event id of the act, which prove takes
}

// Limits of what is shown of one incident. The lists say when there is more.
const (
	maxShown    = 2000 // alerts
	maxEntries  = 5000 // of the timeline
	maxNodes    = 300
	maxEdges    = 1000
	entryEvents = 20 // ids in an entry
)

// Show returns an incident. What its actors did beyond the alerts is read from h; without one,
// the blast radius is what the alerts tell.
func (s *Store) Show(ctx context.Context, id string, h History) (*Incident, error) {
	g, err := s.group(ctx, id)
	if err != nil {
		return nil, err
	}
	in := &Incident{Summary: g.Summary}
	if in.List, err = s.alerts(ctx, `t.incident = ? AND t.incident <> 0 ORDER BY t.first, t.id LIMIT ?`, g.num, maxShown); err != nil {
		return nil, err
	}
	in.Truncated = len(in.List) < in.Summary.Alerts
	if in.Aliases, err = s.aliases(ctx, g); err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	history, err := s.history(ctx, g.num)
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	in.History = steps(history)
	in.Phases, in.Entities = phasesOf(in.List), entitiesOf(in.List)
	in.names = namesOf(in)
	for i, who := range in.Who {
		in.Who[i] = in.called(who)
	}
	in.Graph = graphOf(in.List, in.Entities)
	c := newCensus(s.settings, in)
	if h != nil {
		err := h.Events(ctx, c.query(in), c.take)
		c.blast.Truncated = c.blast.Truncated || errors.Is(err, ErrTruncated)
		if err != nil && !c.blast.Truncated {
			return nil, fmt.Errorf("incidents: the events of %s cannot be read: %w", in.ID, err)
		}
		c.blast.FromEvents = true
	}
	in.Blast = c.result(in)
	in.Timeline = timelineOf(in, c.notable)
	in.Text = textOf(in)
	return in, nil
}

func steps(history []decided) []Step {
	list := make([]Step, 0, len(history))
	for i := range history {
		d := &history[i]
		step := Step{
			Time: d.Time, By: d.By, Kind: strings.TrimPrefix(string(d.Kind), "incident-"), Incident: d.Incident,
			State: d.State, Assignee: d.Assignee, With: d.With, Note: d.Message, Act: d.place.String(),
		}
		if d.Kind == act.IncidentSplit {
			step.Alerts = d.Alerts
		}
		list = append(list, step)
	}
	return list
}

// phasesOf sorts alerts into the tactics that they are of, in the order of the kill chain.
func phasesOf(alerts []Alert) []Phase {
	list := []Phase{}
	for i, t := range killChain {
		p := Phase{Tactic: t, Techniques: []string{}}
		for j := range alerts {
			a := &alerts[j]
			if a.arrived() || tacticsOf(a.Tags)&(1<<i) == 0 {
				continue
			}
			if len(p.Alerts) == 0 {
				p.First, p.Last = a.First, a.Last
			}
			p.Alerts = append(p.Alerts, a.ID)
			if a.Last.After(p.Last) {
				p.Last = a.Last
			}
			p.Techniques = append(p.Techniques, techniquesOf(a.Tags)...)
		}
		if len(p.Alerts) > 0 {
			slices.Sort(p.Techniques)
			p.Techniques = slices.Compact(p.Techniques)
			list = append(list, p)
		}
	}
	return list
}

// entitiesOf collects whom and what alerts are about, those in most alerts first.
func entitiesOf(alerts []Alert) []Entity {
	list := []Entity{}
	place := map[string]int{}
	for i := range alerts {
		a := &alerts[i]
		counted := map[string]bool{}
		for j := range a.Entities {
			e := &a.Entities[j]
			id := nodeID(e)
			at, ok := place[id]
			if !ok {
				at = len(list)
				place[id] = at
				list = append(list, Entity{Type: e.Type, ID: strings.ToLower(e.ID), First: a.First, Last: a.Last, Roles: []string{}})
			}
			one := &list[at]
			one.Name = cmp.Or(one.Name, cut(e.Name))
			if !slices.Contains(one.Roles, e.Role) {
				one.Roles = append(one.Roles, e.Role)
			}
			if a.Last.After(one.Last) {
				one.Last = a.Last
			}
			if !counted[id] {
				counted[id] = true
				one.Alerts++
			}
		}
	}
	for i := range list {
		slices.Sort(list[i].Roles)
	}
	slices.SortStableFunc(list, func(a, b Entity) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), a.First.Compare(b.First), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// namesOf collects what applications are called, by their ids, and gives entities these names.
func namesOf(in *Incident) map[string]string {
	names := map[string]string{}
	for i := range in.List {
		for id, name := range appNames(&in.List[i].Alert) {
			names[id] = cmp.Or(names[id], name)
		}
	}
	for i := range in.Entities {
		if e := &in.Entities[i]; e.Type == "app" {
			e.Name = cmp.Or(e.Name, names[e.ID], firstPartyNames[e.ID])
			if e.Name != "" {
				names[e.ID] = e.Name
			}
		}
	}
	return names
}

// called is what people call an application of the incident, or the id itself.
func (in *Incident) called(id string) string { return cmp.Or(in.names[strings.ToLower(id)], id) }

func nodeID(e *detect.Entity) string { return e.Type + ":" + strings.ToLower(e.ID) }

// timelineOf puts alerts, what else was done and what people decided in the order of time. What
// an alert shows is not told again as an event.
func timelineOf(in *Incident, notable []Entry) []Entry {
	list := make([]Entry, 0, len(in.List)+len(notable)+len(in.History))
	told := map[string]bool{} // records that alerts show
	for i := range in.List {
		a := &in.List[i]
		e := Entry{Time: a.First, Kind: "alert", Level: a.Level, Title: a.Title, Text: a.Sentence, Who: in.called(whoOf(&a.Alert)), Alert: a.ID, Events: []string{}}
		if a.Last.After(a.First) {
			e.Last = &a.Last
		}
		for i, r := range a.Records {
			told[r.ID] = true
			if i < entryEvents {
				e.Events = append(e.Events, r.ID)
			}
		}
		list = append(list, e)
		for j := range a.Arrivals {
			come := &a.Arrivals[j]
			list = append(list, Entry{
				Time: come.Time, Kind: "arrival", Title: "what was missing has come", Text: come.text(), Who: e.Who, Alert: a.ID, Events: []string{come.Act, come.Record},
			})
		}
	}
	for i := range notable {
		if e := &notable[i]; !told[e.Events[0]] {
			list = append(list, *e)
		}
	}
	for i := range in.History {
		h := &in.History[i]
		list = append(list, Entry{Time: h.Time, Kind: "decision", Title: h.title(), Text: h.Note, Who: h.By, Events: []string{h.Act}})
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	return list[:min(len(list), maxEntries)]
}

// title says what a step did, in a few words.
func (s *Step) title() string {
	switch {
	case s.Kind == "state":
		return "now " + s.State
	case s.Kind == "assign" && s.Assignee == "":
		return "assigned to nobody"
	case s.Kind == "assign":
		return "assigned to " + s.Assignee
	case s.Kind == "split":
		return fmt.Sprintf("%d alerts split off", len(s.Alerts))
	case s.Kind == "merge":
		return "merged with " + s.With
	}
	return s.Kind
}
