// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/lake/query"
)

func (a *app) searchCommand() *cobra.Command {
	var since, until string
	var limit int
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Search the stored events",
		Long: `Search finds stored events and shows them newest last. docs/reference/search.md
explains the language; in short:

  user:someone@contoso.example op:New-InboxRule -status:success
  ip:203.0.113.0/24 "quarterly budget" | count by op | sort -count | limit 20

A bare vendor id or event id finds that event. With --json each event is one line:
the whole event in OCSF, its event id in metadata.uid and the vendor's in
metadata.original_event_uid. The event id is what "daybreak prove" takes.`,
		Args: args(cobra.ExactArgs(1), "one query (quote it)"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s := client.Search{Query: args[0], Limit: limit, Full: a.json}
			if err := a.checkQuery(args[0]); err != nil {
				return err
			}
			if s.Since, s.Until, err = parseBounds(since, until); err != nil {
				return err
			}
			if limit < 1 {
				return usagef("--limit must be at least 1")
			}
			return a.search(cmd, s)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only events at this `time` or later: 2026-11-21, 2026-11-21T08:00:00Z, 24h, 7d")
	cmd.Flags().StringVar(&until, "until", "", "only events before this `time`")
	cmd.Flags().IntVar(&limit, "limit", 1000, "at most `N` results; of events, the newest")
	return cmd
}

// parseBound reads a time of --since or --until, where a length ("24h") is as long
// before now.
func parseBound(flag, text string, now time.Time) (time.Time, error) {
	t, err := query.ParseTime(text, now)
	if err == nil {
		return t, nil
	}
	if ago, err := query.ParseTime("-"+text, now); err == nil {
		return ago, nil
	}
	return t, usagef("--%s: %v", flag, err)
}

// parseBounds reads --since and --until; one that is empty leaves its side open.
func parseBounds(since, until string) (from, to time.Time, err error) {
	now := time.Now()
	if since != "" {
		from, err = parseBound("since", since, now)
	}
	if until != "" && err == nil {
		to, err = parseBound("until", until, now)
	}
	return from, to, err
}

// checkQuery refuses a query that cannot be read, with a caret under the place.
func (a *app) checkQuery(text string) error {
	_, err := query.Parse(text)
	if q := (*query.Error)(nil); errors.As(err, &q) {
		return usagef("%v\n%s", err, strings.TrimSuffix(q.Caret(), "\n"))
	}
	return err
}

func (a *app) search(cmd *cobra.Command, s client.Search) (err error) {
	c, done, err := a.connect(cmd.Context(), "search")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()

	out := bufio.NewWriterSize(a.stdout, 1<<16)
	p := a.printer(out)
	n := 0
	trailer, err := c.Search(cmd.Context(), s, p.header, func(m json.RawMessage) error {
		n++
		return p.result(m)
	})
	if err := errors.Join(p.end(), out.Flush()); err != nil {
		return err
	}
	if err != nil {
		return asUsage(err)
	}
	if trailer.Truncated {
		a.say("the newest %s are shown, there are more: raise --limit or narrow the query", thousands(int64(n)))
	}
	return nil
}

// printer writes results: with --json one object a line, otherwise a table.
type printer struct {
	json   bool
	table  *table
	events bool
	names  []string
	out    *bufio.Writer
}

func (a *app) printer(out *bufio.Writer) *printer { return &printer{json: a.json, out: out} }

// eventNames are the columns that people are shown of an event; the API gives
// the others too.
var eventNames = []string{"time", "op", "user", "ip", "status", "target", "object", "id"}

func (p *printer) header(h v1.SearchHeader) error {
	p.events = h.Kind == "events"
	p.names = h.Columns
	if p.events {
		p.names = eventNames
	}
	if !p.json {
		p.table = newTable(p.out, p.names)
	}
	return nil
}

func (p *printer) result(m json.RawMessage) error {
	if !p.events {
		return p.row(m, "")
	}
	var h v1.Hit
	if err := json.Unmarshal(m, &h); err != nil {
		return err
	}
	return p.hit(h)
}

func (p *printer) hit(h v1.Hit) error {
	if !p.json {
		return p.row(h.Row, h.ID)
	}
	if h.Event == nil {
		// The raw record is gone by policy: what the lake still knows.
		_, err := fmt.Fprintf(p.out, "{\"metadata\":{\"uid\":%q},\"unmapped\":{\"daybreak_row\":%s}}\n", h.ID, h.Row)
		return err
	}
	p.out.Write(h.Event)
	return p.out.WriteByte('\n')
}

// row prints an object's members in the order of the columns.
func (p *printer) row(m json.RawMessage, id string) error {
	if p.json {
		p.out.Write(m)
		return p.out.WriteByte('\n')
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(m, &fields); err != nil {
		return err
	}
	cells := make([]string, len(p.names))
	for i, name := range p.names {
		v, ok := fields[name]
		switch {
		case name == "id" && id != "":
			cells[i] = id
		case !ok || string(v) == "null":
		case v[0] == '"':
			if err := json.Unmarshal(v, &cells[i]); err != nil {
				return err
			}
		default:
			cells[i] = string(v)
		}
	}
	return p.table.row(cells)
}

func (p *printer) end() error {
	if p.table == nil {
		return nil
	}
	return p.table.flush()
}
