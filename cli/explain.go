// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/node"
)

func (a *app) rulesExplainCommand() *cobra.Command {
	var source string
	var f ruleFlags
	cmd := &cobra.Command{
		Use:   "explain RULE EVENT",
		Short: "Say why a rule matched a record, or why it did not",
		Long: `Explain judges one record by one rule and shows every comparison, with the value that the
record has, and whether it held. RULE is an id or a name, EVENT an event id of the data
directory, or a file with one record ("-" for standard input).`,
		Args: args(cobra.ExactArgs(2), "a rule and an event"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := node.CheckSource(source); err != nil {
				return usagef("%v", err)
			}
			b, err := a.book(&f)
			if err != nil {
				return err
			}
			raw, family, err := a.record(cmd, args[1], source)
			if err != nil {
				return err
			}
			x, err := b.Explain(args[0], raw, family, node.View())
			if err != nil {
				return usagef("%v", err)
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(explained(x))
			}
			return a.printExplanation(x)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&source, "source", "auto", "what the record is: auto, "+node.SourceNames())
	return cmd
}

// record returns the record with an event id, or that of a file.
func (a *app) record(cmd *cobra.Command, name, source string) (raw []byte, family event.Family, err error) {
	if _, err := event.ParseID(name); err == nil {
		if _, statErr := os.Stat(name); statErr != nil {
			return a.storedRecord(cmd, name)
		}
	}
	err = a.readInto(name, func(name string, r io.Reader) error {
		raw, err = theRecord(name, r)
		return err
	})
	if err != nil {
		return nil, "", usagef("%v", err)
	}
	s, _, why, _ := node.NewIdentifier(source).Source(raw)
	if s == nil {
		return nil, "", usagef("%s: %s", name, why)
	}
	return raw, s.Family, nil
}

// theRecord reads a file with one record, in any form that import takes.
func theRecord(name string, from io.Reader) ([]byte, error) {
	r := file.Open(name, from, file.Options{})
	defer r.Close()
	p, err := r.Next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s holds no record", name)
	case err != nil:
		return nil, err
	case p.Unreadable != "":
		return nil, fmt.Errorf("%s: %s", name, p.Unreadable)
	}
	raw := bytes.Clone(p.Raw)
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s holds more than one record: explain takes one at a time", name)
	}
	return raw, nil
}

func (a *app) storedRecord(cmd *cobra.Command, id string) (raw []byte, family event.Family, err error) {
	c, done, err := a.connect(cmd.Context(), "event")
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, done()) }()
	e, err := c.Event(cmd.Context(), id)
	if err != nil {
		return nil, "", asUsage(err)
	}
	return e.Raw, event.Family(e.Family), nil
}

// explainedNode is a node of an explanation with --json.
type explainedNode struct {
	Op     string           `json:"op"` // and, or, not, search, item
	Name   string           `json:"name,omitempty"`
	Item   string           `json:"item,omitempty"`
	Held   bool             `json:"held"`
	Fields []explainedField `json:"fields,omitempty"`
	Nodes  []explainedNode  `json:"nodes,omitempty"`
}

// explainedField is what a record has in a field that a comparison looked at.
type explainedField struct {
	Name    string   `json:"name"` // empty for keywords
	Present bool     `json:"present"`
	Values  []string `json:"values,omitempty"`
	More    int      `json:"more,omitempty"` // values that are not shown
}

// explanation is what explain prints with --json.
type explanation struct {
	Rule       string          `json:"rule"`
	LogSource  bool            `json:"logsource"`
	Held       bool            `json:"held"`
	Conditions []explainedNode `json:"conditions"`
}

func explained(x *detect.Explanation) explanation {
	e := explanation{x.Rule.Key(), x.LogSource, x.Held, []explainedNode{}}
	for _, t := range x.Conditions {
		e.Conditions = append(e.Conditions, explainedTrace(t))
	}
	return e
}

func explainedTrace(t *sigma.Trace) explainedNode {
	n := explainedNode{Op: t.Op, Name: t.Name, Held: t.Held}
	for _, f := range t.Fields {
		n.Fields = append(n.Fields, explainedField(f))
	}
	if t.Item != nil {
		n.Item = t.Item.String()
	}
	for _, k := range t.Kids {
		n.Nodes = append(n.Nodes, explainedTrace(k))
	}
	return n
}

func (a *app) printExplanation(x *detect.Explanation) error {
	verdict := "does not match"
	if x.Held && x.LogSource {
		verdict = "matches"
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", x.Rule.Title, verdict)
	if !x.LogSource {
		fmt.Fprintf(a.stdout, "  the record is not of the rule's log source, %s\n", x.Rule.LogSource)
	}
	for _, t := range x.Conditions {
		a.printTrace(t, 1)
	}
	return nil
}

func (a *app) printTrace(t *sigma.Trace, depth int) {
	held := "no "
	if t.Held {
		held = "yes"
	}
	what := t.Op
	switch {
	case t.Item != nil:
		what = t.Item.String()
	case t.Name != "":
		what = t.Name
	}
	fmt.Fprintf(a.stdout, "%s%s  %s\n", strings.Repeat("  ", depth), held, printable(what, 160))
	for _, f := range t.Fields {
		value := "is not there"
		if f.Present {
			value = "is " + strings.Join(f.Values, ", ")
			if f.More > 0 {
				value += fmt.Sprintf(" and %d more", f.More)
			}
		}
		name := f.Name
		if name == "" {
			name = "no value of the record has it:"
			if t.Held {
				continue
			}
			value = ""
		}
		fmt.Fprintf(a.stdout, "%s     %s %s\n", strings.Repeat("  ", depth), name, printable(value, 200))
	}
	for _, k := range t.Kids {
		a.printTrace(k, depth+1)
	}
}
