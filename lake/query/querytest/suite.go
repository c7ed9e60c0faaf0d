// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package querytest holds what every engine that answers queries must pass: the
// conformance suite in testdata/*.test, and a generator of random rows and
// queries for comparing an engine with [query.Run].
//
// A suite is a text of lines; a # begins a line of comment.
//
//	now 2026-01-02T00:00:00Z        the time that relative times count from
//	row batch=1 user="a b" …        one event more: columns by name, Go quoting
//	deep e1.0 actor.x="v" …         values at paths in an event
//	clear                           forget the rows
//	query user:a | count by op      a query, followed by the rows it gives,
//	  "Send" 2                      indented, in their order
//
// A row of a result is its values; an event is its id, followed by its values
// if a fields pipe chose them. What [Own] says is counted as this program's own. Every other value of an event is compared with
// the row that was loaded.
package querytest

import (
	"bufio"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

//go:embed testdata
var files embed.FS

// Input is what a query is asked about.
type Input struct {
	Rows []lake.Row
	Now  time.Time
	// Deep returns the values at a path in an event.
	Deep func(id event.ID, path string) []string
}

// Engine answers a query.
type Engine func(ctx context.Context, in Input, q *query.Query) (*query.Table, error)

// Own is what passes for this program's own acts: some of the random rows.
var Own = query.And{
	query.Term{Field: "ip", Any: []query.Test{{Op: query.InNet, Net: netip.MustParsePrefix("203.0.113.0/24")}}},
	query.Term{Field: "actor.kind", Any: []query.Test{{Op: query.Equal, Text: "alpha"}}},
}

// Oracle is the engine that says what queries mean.
func Oracle(_ context.Context, in Input, q *query.Query) (*query.Table, error) {
	return query.Run(q, in.Rows, in.Now, in.Deep), nil
}

// Conform runs the suite against an engine.
func Conform(t *testing.T, engine Engine) {
	names, err := fs.Glob(files, "testdata/*.test")
	if err != nil || len(names) == 0 {
		t.Fatalf("no suites: %v", err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(path.Base(name), ".test"), func(t *testing.T) {
			s := &suite{engine: engine, deep: map[string][]string{}}
			s.run(t, string(text))
		})
	}
}

type suite struct {
	engine  Engine
	rows    []lake.Row
	now     time.Time
	deep    map[string][]string // by event id, space, path
	queries int
}

func (s *suite) run(t *testing.T, text string) {
	var lines []string
	for sc := bufio.NewScanner(strings.NewReader(text)); sc.Scan(); {
		lines = append(lines, sc.Text())
	}
	for i := 0; i < len(lines); i++ {
		at := i + 1
		verb, rest, _ := strings.Cut(lines[i], " ")
		var err error
		switch verb {
		case "", "#":
		case "now":
			s.now, err = time.Parse(time.RFC3339, rest)
		case "clear":
			s.rows = nil
		case "row":
			err = s.addRow(rest)
		case "deep":
			err = s.addDeep(rest)
		case "query":
			var want []string
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], " ") {
				i++
				want = append(want, strings.TrimSpace(lines[i]))
			}
			s.query(t, at, rest, want)
		default:
			err = fmt.Errorf("unknown verb %q", verb)
		}
		if err != nil {
			t.Fatalf("line %d: %v", at, err)
		}
	}
	if s.queries == 0 {
		t.Fatal("the suite asks nothing")
	}
}

func (s *suite) query(t *testing.T, line int, text string, want []string) {
	s.queries++
	q, err := query.Parse(text)
	if err != nil {
		t.Fatalf("line %d: %v", line, err)
	}
	q.Own = Own
	in := Input{slices.Clone(s.rows), s.now, func(id event.ID, path string) []string { return s.deep[id.String()+" "+path] }}
	got, err := s.engine(t.Context(), in, q)
	if err != nil {
		t.Errorf("line %d: %s: %v", line, text, err)
		return
	}
	chosen := got.IDs == nil
	for _, p := range q.Pipes {
		_, fields := p.(query.Fields)
		chosen = chosen || fields
	}
	if diff := cmp.Diff(want, Lines(got, chosen)); diff != "" {
		t.Errorf("line %d: %s (-want +got):\n%s", line, text, diff)
	}
	if got.IDs != nil {
		s.checkValues(t, line, got)
	}
}

// checkValues compares the values of the events with what was loaded.
func (s *suite) checkValues(t *testing.T, line int, got *query.Table) {
	for i, id := range got.IDs {
		r := slices.IndexFunc(s.rows, func(r lake.Row) bool { return r.ID() == id })
		for c, col := range got.Columns {
			if want := query.ColumnOf(&s.rows[r], query.Place(col.Name)); got.Rows[i][c] != want {
				t.Errorf("line %d: %v: %s is %v, want %v", line, id, col.Name, got.Rows[i][c], want)
			}
		}
	}
}

// Lines writes a table as suites do.
func Lines(t *query.Table, values bool) []string {
	var out []string
	for i, row := range t.Rows {
		var parts []string
		if t.IDs != nil {
			parts = append(parts, t.IDs[i].String())
		}
		for c, v := range row {
			switch kind := t.Columns[c].Kind; {
			case !values:
			case kind == lake.String:
				parts = append(parts, strconv.Quote(v.Text))
			case kind == lake.Timestamp:
				parts = append(parts, time.UnixMilli(v.Int).UTC().Format(time.RFC3339Nano))
			default:
				parts = append(parts, strconv.FormatInt(v.Int, 10))
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// pairs reads k=v k="v w" ….
func pairs(s string, each func(k, v string) error) error {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		k, rest, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("want key=value, have %q", s)
		}
		v, after, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(rest, `"`) {
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return err
			}
			after = rest[len(q):]
			if v, err = strconv.Unquote(q); err != nil {
				return err
			}
		}
		if err := each(k, v); err != nil {
			return err
		}
		s = after
	}
	return nil
}

func (s *suite) addRow(text string) error {
	r := lake.Row{Batch: 1, Index: int32(len(s.rows))}
	err := pairs(text, func(k, v string) error {
		c := query.Place(k)
		if c < 0 {
			return fmt.Errorf("no column %q", k)
		}
		switch lake.Columns[c].Kind {
		case lake.String:
			query.Set(&r, c, query.Value{Text: v})
			return nil
		case lake.Timestamp:
			at, err := time.Parse(time.RFC3339, v)
			query.Set(&r, c, query.Value{Int: at.UnixMilli()})
			return err
		}
		n, err := strconv.ParseInt(v, 10, 64)
		query.Set(&r, c, query.Value{Int: n})
		return err
	})
	s.rows = append(s.rows, r)
	return err
}

func (s *suite) addDeep(text string) error {
	id, rest, _ := strings.Cut(text, " ")
	if _, err := event.ParseID(id); err != nil {
		return err
	}
	return pairs(rest, func(k, v string) error {
		s.deep[id+" "+k] = append(s.deep[id+" "+k], v)
		return nil
	})
}
