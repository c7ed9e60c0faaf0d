// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"slices"

	"github.com/daybreak-sec/daybreak/detect"
)

// Graph is who did what to what, as alerts tell it.
type Graph struct {
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
	// Hidden counts how often something is not drawn because there is too much.
	Hidden int `json:"hidden,omitempty"`
}

// Node is an entity of the graph, or several that an alert shows together ("72 addresses").
type Node struct {
	ID     string `json:"id"` // "user:alice@example.com"
	Type   string `json:"type"`
	Name   string `json:"name"`
	Alerts int    `json:"alert_count"`
}

// Edge says that one did something to the other, or that it was done from there.
type Edge struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	What   string   `json:"what"` // title of the alerts
	Count  int      `json:"count"`
	Alerts []string `json:"alerts"`          // ids, the first few
	Event  string   `json:"event,omitempty"` // id of the first record
}

// edgeAlerts bounds the alerts that an edge names.
const edgeAlerts = 20

// drawing is a graph that is being made.
type drawing struct {
	Graph
	known map[string]Node
	nodes map[string]bool
	place map[[3]string]int // of edges
}

// graphOf draws, for each alert, an edge from each actor to each target, and from each source
// to each actor; alerts of a title share an edge. What is in most alerts is drawn first.
func graphOf(alerts []Alert, entities []Entity) Graph {
	g := &drawing{Graph: Graph{Nodes: []Node{}, Edges: []Edge{}}, known: map[string]Node{}, nodes: map[string]bool{}, place: map[[3]string]int{}}
	for i := range entities {
		e := &entities[i]
		n := Node{ID: e.Type + ":" + e.ID, Type: e.Type, Name: cmp.Or(e.Name, cut(e.ID)), Alerts: e.Alerts}
		g.known[n.ID] = n
		if plurals[n.Type] == "" { // the others come with what was done from there
			g.node(n)
		}
	}
	for i := range alerts {
		g.alert(&alerts[i])
	}
	return g.Graph
}

// node draws a node, if there is room, and reports whether it is drawn.
func (g *drawing) node(n Node) bool {
	switch {
	case g.nodes[n.ID]:
	case len(g.Nodes) == maxNodes:
		g.Hidden++
		return false
	default:
		g.nodes[n.ID] = true
		g.Nodes = append(g.Nodes, n)
	}
	return true
}

// plurals are the kinds of which several are drawn as one where an alert has more than a few.
var plurals = map[string]string{"ip": "addresses", "session": "sessions", "token": "tokens", "device": "devices"}

func (g *drawing) alert(a *Alert) {
	doers := actors(a)
	behind := map[string][]string{} // what actors used, by its type
	for i := range a.Entities {
		e := &a.Entities[i]
		// Who acts is not acted upon by the others that an alert of many records shows.
		if id := nodeID(e); slices.ContainsFunc(doers, func(d *detect.Entity) bool { return nodeID(d) == id }) {
			continue
		} else if e.Role != "target" {
			// Of the people in an alert that a program is about, it is the mailbox that counts.
			if e.Type != "user" {
				behind[e.Type] = append(behind[e.Type], id)
			}
		} else if len(doers) <= few || !firstParty[e.ID] {
			for _, d := range doers {
				g.edge(a, nodeID(d), id)
			}
		}
	}
	for _, kind := range [...]string{"ip", "session", "token", "device", "app"} {
		from := behind[kind]
		if plurals[kind] != "" && len(from) > few {
			n := Node{ID: kind + "s:" + a.ID, Type: kind, Name: number(len(from)) + " " + plurals[kind], Alerts: 1}
			if a.Count > len(from) { // of so many records not all have been looked at
				n.Name += " or more"
			}
			g.known[n.ID] = n
			from = []string{n.ID}
		}
		for _, f := range from {
			for _, d := range doers {
				g.edge(a, f, nodeID(d))
			}
		}
	}
}

func (g *drawing) edge(a *Alert, from, to string) {
	if from == to || !g.node(g.known[from]) || !g.node(g.known[to]) {
		return
	}
	k := [3]string{from, to, a.Title}
	at, ok := g.place[k]
	if !ok {
		if len(g.Edges) == maxEdges {
			return
		}
		at = len(g.Edges)
		g.place[k] = at
		e := Edge{From: from, To: to, What: a.Title}
		if len(a.Records) > 0 {
			e.Event = a.Records[0].ID
		}
		g.Edges = append(g.Edges, e)
	}
	e := &g.Edges[at]
	e.Count++
	if len(e.Alerts) < edgeAlerts {
		e.Alerts = append(e.Alerts, a.ID)
	}
}

// actors are who acted in an alert: what the rule groups by, or else its people, or if there are
// none its applications. The sessions and programs that people used stand behind them, like
// addresses.
func actors(a *Alert) (list []*detect.Entity) {
	if s := subjectOf(&a.Alert); s != nil {
		return []*detect.Entity{s}
	}
	for _, kind := range [...]string{"user", "app"} {
		for i := range a.Entities {
			if e := &a.Entities[i]; e.Role == "actor" && e.Type == kind {
				list = append(list, e)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	return list
}
