// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// API is the provider's: [graph.Client]. Its errors are [*rest.Error] or the context's.
type API interface {
	StartAuditQuery(ctx context.Context, p budget.Priority, name, workload string, from, to time.Time) (*graph.AuditQuery, error)
	AuditQuery(ctx context.Context, p budget.Priority, id string) (*graph.AuditQuery, error)
	AuditRecords(ctx context.Context, p budget.Priority, id, next string) (*graph.Page, error)
}

// Options say how a stretch is read. Zero values have the defaults.
type Options struct {
	API      API
	Dir      string // for ids that are too many for the memory; empty: the system's for temporary files
	Stream   string // that gaps are told of
	Workload string // whose records alone are read; empty: those of all

	Wait  time.Duration // before a query is looked at for the first time, which doubles up to a minute; 5 s
	Limit time.Duration // of a query, until it is given up; 1 h
	Tries int           // of a request or query that fails; 5
}

// narrowest is the window that is not halved any more.
const narrowest = time.Minute

// caps are the limits at which queries have been seen to end without a word.
var caps = []int{5_000, 50_000}

// near is how close to a limit is too close, in parts of a hundred: counts are said to be about right.
const near = 95

// Read calls yield with each record of [from, to), as received: an auditLogRecord, whose id is that of the Management
// Activity API and whose auditData is the record there. One may come more than once. It returns the gaps in which there may
// be more than was read.
func Read(ctx context.Context, o Options, from, to time.Time, yield func(raw []byte) error) (gaps []act.Act, err error) {
	if o.Wait <= 0 {
		o.Wait = 5 * time.Second
	}
	if o.Limit <= 0 {
		o.Limit = time.Hour
	}
	if o.Tries <= 0 {
		o.Tries = 5
	}
	if !from.Before(to) {
		return nil, errors.New("auditquery: the window is empty")
	}
	r := reader{o, yield}
	return r.read(ctx, from, to)
}

type reader struct {
	o     Options
	yield func(raw []byte) error
}

// read reads a window, and its halves if it cannot be believed.
func (r *reader) read(ctx context.Context, from, to time.Time) (gaps []act.Act, err error) {
	doubt, err := r.query(ctx, from, to)
	if err != nil || doubt == "" {
		return nil, err
	}
	if to.Sub(from) <= narrowest {
		return []act.Act{{
			Kind: act.Gap, Stream: r.o.Stream, Subject: r.o.Workload, From: from, To: to, Reason: act.Capped,
			Message: "a query of the audit log cannot be believed to have given all of this time: " + doubt,
		}}, nil
	}
	middle := from.Add(to.Sub(from) / 2).Truncate(time.Second)
	for _, half := range [...][2]time.Time{{from, middle}, {middle, to}} {
		more, err := r.read(ctx, half[0], half[1])
		if gaps = append(gaps, more...); err != nil {
			return gaps, err
		}
	}
	return gaps, nil
}

// query asks for a window, and says why what came is not to be believed; nothing if it is.
func (r *reader) query(ctx context.Context, from, to time.Time) (doubt string, err error) {
	q, err := r.run(ctx, from, to)
	switch {
	case err != nil:
		return "", err
	case q.Status != "succeeded":
		return "it has ended as " + q.Status, nil
	// What is not given out at all need not be read, unless there is nothing smaller to ask for.
	case to.Sub(from) > narrowest && limited(q) != "":
		return limited(q), nil
	}
	first, second, none := newIDs(r.o.Dir), newIDs(r.o.Dir), newIDs(r.o.Dir)
	defer first.close()
	defer second.close()
	if _, err := r.pages(ctx, q.ID, none, first); err != nil {
		return "", err
	}
	others, err := r.pages(ctx, q.ID, first, second)
	if err != nil {
		return "", err
	}
	if why := limited(q); why != "" {
		return why, nil
	}
	if others > 0 || first.count != second.count {
		return fmt.Sprintf("it gave %d records when it was read first, and others, of %d, when it was read again", first.count, second.count), nil
	}
	for _, limit := range caps {
		if n := first.count; n <= limit && n*100 >= limit*near {
			return fmt.Sprintf("it gave %d records, and queries have been seen to end at %d without a word", n, limit), nil
		}
	}
	return "", nil
}

// limited says if a query admits that it has not given all, or comes too near to its limit.
func limited(q *graph.AuditQuery) string {
	switch {
	case q.Exceeded:
		return "it says that there is more than it gives"
	case q.Limit > 0 && q.Count*100 >= q.Limit*near:
		return fmt.Sprintf("it found about %d records, and gives at most %d", q.Count, q.Limit)
	}
	return ""
}

// run starts a query and waits for its end.
func (r *reader) run(ctx context.Context, from, to time.Time) (q *graph.AuditQuery, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Limit, errLimit)
	defer cancel()
	name := strings.TrimSpace("daybreak " + from.UTC().Format(time.RFC3339) + " " + to.UTC().Format(time.RFC3339) + " " + r.o.Workload)
	err = r.try(ctx, func() (err error) {
		q, err = r.o.API.StartAuditQuery(ctx, budget.Backfill, name, r.o.Workload, from, to)
		return err
	})
	for wait := r.o.Wait; err == nil && (q.Status == "notStarted" || q.Status == "running"); wait = min(2*wait, max(time.Minute, r.o.Wait)) {
		if err = loop.Sleep(ctx, wait); err != nil {
			break
		}
		id := q.ID
		err = r.try(ctx, func() (err error) {
			q, err = r.o.API.AuditQuery(ctx, budget.Backfill, id)
			return err
		})
	}
	if errors.Is(context.Cause(ctx), errLimit) {
		return nil, fmt.Errorf("auditquery: the query of %v to %v has not ended within %v", from, to, r.o.Limit)
	}
	return q, err
}

var errLimit = errors.New("the query takes too long")

// pages reads all pages of what was found into all, and gives out what is not among known, of which it returns the number.
func (r *reader) pages(ctx context.Context, query string, known, all *ids) (others int, err error) {
	var tape jsontape.Tape
	for next := ""; ; {
		var page *graph.Page
		err := r.try(ctx, func() (err error) {
			page, err = r.o.API.AuditRecords(ctx, budget.Backfill, query, next)
			return err
		})
		if err != nil {
			return others, err
		}
		for _, raw := range page.Records {
			name := raw
			if tape.Parse(raw) == nil && len(tape.Root().Get("id").Str()) > 0 {
				name = tape.Root().Get("id").Str()
			}
			sum := sha256.Sum256(name)
			k := id(sum[:16])
			if fresh, err := all.add(k); err != nil || !fresh {
				if err != nil {
					return others, err
				}
				continue
			}
			had, err := known.has(k)
			if err != nil {
				return others, err
			}
			if had {
				continue
			}
			others++
			if err := r.yield(raw); err != nil {
				return others, err
			}
		}
		if page.Next == "" {
			return others, nil
		}
		if page.Next == next {
			return others, &rest.Error{API: "graph", Op: "records", Class: rest.ClassPage, Message: "the pages lead nowhere: one names itself as the next"}
		}
		next = page.Next
	}
}

// try asks again after what may pass: answers of gateways are usual here.
func (r *reader) try(ctx context.Context, ask func() error) error {
	for failed := 1; ; failed++ {
		err := ask()
		e := (*rest.Error)(nil)
		if err == nil || failed >= r.o.Tries || !errors.As(err, &e) || e.Class != rest.ClassRetry {
			return err
		}
		if err := loop.Sleep(ctx, loop.Backoff(r.o.Wait, failed, time.Minute)); err != nil {
			return err
		}
	}
}
