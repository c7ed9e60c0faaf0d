// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strings"
	"time"
)

// Meta is what every document says of itself (specification 2.1, "Components").
type Meta struct {
	ID     string // a UUID, or empty
	Name   string // what other documents may refer to it by, beside its ID
	Title  string
	Status string // stable, test, experimental, deprecated, unsupported; or empty
	Level  string // informational, low, medium, high, critical; or empty
	// Taxonomy says whose names the fields are: "sigma" (or empty) means that pipelines map
	// them to the vendor's, "ocsf" that they are of the OCSF event that a record is mapped to.
	Taxonomy       string
	Description    string
	License        string
	Author         string
	Date, Modified string // YYYY-MM-DD
	References     []string
	Tags           []string // "attack.t1078.004"
	FalsePositives []string
	Fields         []string // to be shown with a match
	Related        []Related
	Daybreak       *Own // nil if the document has no key daybreak
	// Custom holds the other keys that the specification does not know, as decoded YAML.
	Custom map[string]any

	File string // where it was read from, for messages; empty if it has none
	Line int    // of its first line
}

// Related names another rule and how this one is related to it: derived, obsolete, merged,
// renamed, similar.
type Related struct{ ID, Type string }

// Own is what Daybreak alone reads: the top-level key `daybreak`.
type Own struct {
	Ideas     []string // the key idea: numbers in the catalogue of detections: D093
	Footholds []string // the kinds of foothold that a match means: F05
	Suppress  *Suppress
}

// Suppress joins matches that have the same values in By, each within For of the one before, into
// one alert.
type Suppress struct {
	By  []string // fields; none: all matches of the rule
	For time.Duration
}

// Key is what the document is referred to by: its ID, or its name, or its title if it
// has neither.
func (m *Meta) Key() string {
	switch {
	case m.ID != "":
		return m.ID
	case m.Name != "":
		return m.Name
	}
	return m.Title
}

// LogSource says which records a rule is about. An empty attribute means any.
type LogSource struct{ Product, Category, Service string }

// String returns the attributes that are said: "product m365, service audit".
func (l LogSource) String() string {
	var parts []string
	for _, a := range [...]struct{ name, value string }{{"product", l.Product}, {"category", l.Category}, {"service", l.Service}} {
		if a.value != "" {
			parts = append(parts, a.name+" "+a.value)
		}
	}
	return strings.Join(parts, ", ")
}

// Rule is a detection rule: it judges one record by itself.
type Rule struct {
	Meta
	LogSource LogSource
	// Conditions are the rule's; the rule matches if one of them holds. There is nearly
	// always one.
	Conditions []Condition
}

// Condition is one condition with its searches put in.
type Condition struct {
	Text string // as written
	Expr Expr
}

// Correlation is a correlation rule: it judges what other rules have matched within a
// stretch of event time.
type Correlation struct {
	Meta
	// Type is event_count, value_count, temporal, temporal_ordered, value_sum, value_avg,
	// value_percentile or value_median, or one of Daybreak's own (see Behavior).
	Type     string
	Rules    []string // what it refers to: ids or names, of rules or of correlations
	GroupBy  []string // fields or aliases; none: one group for all
	Timespan time.Duration
	// Aliases maps an alias to the field that it means for each rule.
	Aliases   map[string]map[string]string
	Condition Threshold
	// Generate says that the rules it refers to alert on their own as well.
	Generate bool
	// Behavior is set for Daybreak's own types.
	Behavior *Behavior
}

// Threshold is a correlation's condition. All comparisons have to hold.
type Threshold struct {
	Compare    []Comparison
	Fields     []string // whose values are counted, summed, …; several: distinct tuples
	Percentile float64  // 0 to 100, of value_percentile
	// Expr is an extended temporal condition over the names of the rules: And, Or, Not of
	// Ref. Nil: all of them, or as many as Compare says.
	Expr Expr
}

// Op is a comparison of numbers.
type Op uint8

// The comparisons.
const (
	Eq Op = iota
	Neq
	Lt
	Lte
	Gt
	Gte
)

// Comparison compares a number with N.
type Comparison struct {
	Op Op
	N  float64
}

// Behavior is what Daybreak's own kinds of correlation need beyond the rest. See
// docs/reference/rules.md for their meaning; other tools refuse such a rule because its
// type is not the specification's.
//
//   - new_value: the first time that the group shows this value of Field
//     (group-by: person; field: country). Rare is how many other groups may have shown it
//     for it to count as rare, zero if that does not matter.
//   - spike: more events, or distinct values of Field, in Timespan than Factor times the
//     group's own and its peers' rhythm (robust: median and MAD per hour of week), and at
//     least Least.
//   - dormant: the group is active after Quiet without activity.
//   - travel: two places further apart than KmPerHour allows.
//   - spread: at least Least groups that share a fingerprint (Field), each with at most Most
//     events.
type Behavior struct {
	Fields    []string      // the value, or the tuple
	Peers     []string      // fields that make a peer group; none: all groups
	Learn     time.Duration // nothing is told of a group, or of a tenant, before it was watched for so long
	Remember  time.Duration // after so long without being seen a value is new again
	Rare      int
	Factor    float64
	Least     float64
	Most      float64
	Quiet     time.Duration
	KmPerHour float64
	MinimumKm float64
}

// Filter adds a condition to rules that it does not belong to (specification 2.1, "Filters").
type Filter struct {
	Meta
	LogSource LogSource
	Rules     []string // ids or names; none: every rule of the log source
	Condition Condition
}

// Document is one of *Rule, *Correlation and *Filter.
type Document interface{ meta() *Meta }

func (r *Rule) meta() *Meta        { return &r.Meta }
func (c *Correlation) meta() *Meta { return &c.Meta }
func (f *Filter) meta() *Meta      { return &f.Meta }

// MetaOf returns what a document says of itself.
func MetaOf(d Document) *Meta { return d.meta() }
