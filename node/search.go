// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/lake/scan"
)

// Query is a question about the stored events.
type Query struct {
	Text         string
	Since, Until time.Time // zero leaves that side open
	Limit        int       // most results
}

// Found is the answer to a query.
type Found struct {
	// Query is the query in its canonical form.
	Query string
	// Events says that the results are whole events, in the order in which they
	// are shown: newest last, unless the query sorts. Otherwise they are rows of
	// a table.
	Events bool
	// Columns are those of the table, or of the events.
	Columns []string
	// Truncated says that there are more results than Limit.
	Truncated bool
	// Scanned is how many rows were looked at.
	Scanned int64

	columns []query.Column
	rows    [][]query.Value
	ids     []event.ID
}

// maxQuery caps the text of a query.
const maxQuery = 64 << 10

// Search answers a query. Mistakes in it are a [*query.Error].
func (n *Node) Search(ctx context.Context, q Query) (*Found, error) {
	start := time.Now()
	found, err := n.search(ctx, q)
	result := "ok"
	switch {
	case err != nil:
		result = "failed"
	case found.Truncated:
		result = "truncated"
	}
	n.metrics.searches.WithLabelValues(result).Inc()
	n.metrics.seconds.Observe(time.Since(start).Seconds())
	return found, err
}

func (n *Node) search(ctx context.Context, q Query) (*Found, error) {
	if len(q.Text) > maxQuery {
		return nil, fmt.Errorf("%w: it is longer than 64 KiB", ErrQuery)
	}
	parsed, err := query.Parse(q.Text)
	if err != nil {
		return nil, err
	}
	asked := *parsed
	if asked.Where, err = n.resolve(ctx, parsed.Where); err != nil {
		return nil, err
	}
	live := n.live.Load()
	asked.Own = ownActs(&live.config)
	limits := live.config.Search
	ctx, cancel := context.WithTimeout(ctx, 2*time.Duration(limits.Timeout))
	defer cancel()
	select {
	case live.slots <- struct{}{}:
		defer func() { <-live.slots }()
	case <-ctx.Done():
		return nil, ErrBusy
	}
	snap := n.lake.Snapshot()
	defer snap.Release()
	res, err := scan.Run(ctx, snap, asked.Within(q.Since, q.Until), scan.Options{
		MaxRows: q.Limit, MaxMemory: int64(limits.Memory), Timeout: time.Duration(limits.Timeout), Deep: n.deep,
	})
	if err != nil {
		return nil, n.damaged(ctx, err)
	}
	for _, l := range res.Truncated {
		if l != scan.Rows {
			return nil, fmt.Errorf("%w within its limit of %s: narrow the time or add a condition, or raise the limit in the configuration (search.timeout, search.memory)", ErrQuery, l)
		}
	}
	return newFound(parsed, res), nil
}

// damaged notes a segment that cannot be read, so that the next start makes it
// anew.
func (n *Node) damaged(ctx context.Context, err error) error {
	if d := (*lake.DamagedError)(nil); errors.As(err, &d) {
		if err := n.lake.MarkDamaged(ctx, d.Segment); err != nil {
			n.log.Warn("damaged segment was not noted", "err", err)
		}
		return fmt.Errorf("a file of the search index is damaged; restart, or run \"daybreak rebuild\", and its rows are made again from the journal: %w", err)
	}
	return err
}

func newFound(q *query.Query, res *scan.Result) *Found {
	f := &Found{
		Query: q.String(), Truncated: len(res.Truncated) > 0, Scanned: res.Scanned,
		columns: res.Columns, rows: res.Rows, ids: res.IDs,
	}
	picked := slices.ContainsFunc(q.Pipes, func(p query.Pipe) bool { _, ok := p.(query.Fields); return ok })
	f.Events = res.IDs != nil && !picked
	if res.NewestFirst {
		slices.Reverse(f.rows)
		slices.Reverse(f.ids)
	}
	if f.ids != nil && picked {
		f.Columns = append(f.Columns, "id")
	}
	for _, c := range res.Columns {
		f.Columns = append(f.Columns, c.Name)
	}
	return f
}

// Len is the number of results.
func (f *Found) Len() int { return len(f.rows) }

// ID returns the event of a result that is one.
func (f *Found) ID(i int) event.ID { return f.ids[i] }

// IDs returns the events of the results; nil if they are counts.
func (f *Found) IDs() []event.ID { return f.ids }

// AppendRow appends result i as a JSON object: of an event the columns that have
// a value, of a table all.
func (f *Found) AppendRow(dst []byte, i int) []byte {
	dst = append(dst, '{')
	first := true
	if f.ids != nil && !f.Events {
		dst = append(dst, `"id":"`...)
		dst = append(append(dst, f.ids[i].String()...), '"')
		first = false
	}
	for c, col := range f.columns {
		v := f.rows[i][c]
		if f.Events && (v == query.Value{} || c == lake.ColBatch || c == lake.ColIndex) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(append(dst, col.Name...), '"', ':')
		dst = appendValue(dst, col, v)
	}
	return append(dst, '}')
}

// AppendRow appends the columns of r that have a value as a JSON object.
func AppendRow(dst []byte, r *lake.Row) []byte {
	dst = append(dst, '{')
	first := true
	for c, col := range query.EventColumns() {
		v := query.ColumnOf(r, c)
		if (v == query.Value{}) || c == lake.ColBatch || c == lake.ColIndex {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(append(dst, col.Name...), '"', ':')
		dst = appendValue(dst, col, v)
	}
	return append(dst, '}')
}

func appendValue(dst []byte, c query.Column, v query.Value) []byte {
	switch c.Kind {
	case lake.String:
		if v.Text == "" {
			return append(dst, "null"...)
		}
		return appendString(dst, v.Text)
	case lake.Timestamp:
		if v.Int == 0 {
			return append(dst, "null"...)
		}
		dst = append(dst, '"')
		dst = time.UnixMilli(v.Int).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
		return append(dst, '"')
	case lake.Bool:
		return strconv.AppendBool(dst, v.Int != 0)
	}
	return strconv.AppendInt(dst, v.Int, 10)
}
