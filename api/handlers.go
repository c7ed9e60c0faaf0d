// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/node"
)

// body is an answer of one JSON object.
type body[T any] struct{ Body T }

type nothing struct{}

func (s *surface) status(ctx context.Context, _ *nothing) (*body[v1.Status], error) {
	st, err := s.node.Status(ctx)
	if err != nil {
		return nil, problem(err)
	}
	out := v1.Status{
		Version: s.version, PID: os.Getpid(), Role: st.Role, Started: st.Started, Dir: st.Dir,
		Origin: st.Origin, Key: st.Key, LogEntries: st.Entries, LogSize: st.LogSize,
		Searchable: st.Searchable.String(), Rows: st.Rows, Segments: st.Segments, Behind: st.Behind,
		Mapper: st.Mapper, Stale: st.Stale, Drift: make([]v1.Drift, 0, len(st.Drift)),
	}
	for _, d := range st.Drift {
		out.Drift = append(out.Drift, v1.Drift{
			Family: string(d.Family), What: d.What, First: d.First, Last: d.Last, Count: d.Count, Sample: d.Sample.String(),
		})
	}
	out.Sources = make([]v1.Source, 0, len(st.Sources))
	for i := range st.Sources {
		out.Sources = append(out.Sources, source(&st.Sources[i]))
	}
	return &body[v1.Status]{out}, nil
}

func source(s *node.SourceStatus) v1.Source {
	out := v1.Source{
		Name: s.Name, Type: s.Type, Tenant: s.Tenant, State: s.State, Since: s.Since, Trouble: s.Trouble, Restarts: s.Restarts,
		Credential: s.Credential, Expires: known(s.Expires), SkewSeconds: s.Provider.Skew.Seconds(),
		PerMinute: s.Provider.Budget.PerMinute, Throttled: s.Provider.Budget.Paused.Seconds(), Streams: make([]v1.Stream, 0, len(s.Streams)),
	}
	for i := range s.Streams {
		st := &s.Streams[i]
		out.Streams = append(out.Streams, v1.Stream{
			Name: st.Stream, State: st.State, Head: known(st.HeadTo), Listed: known(st.Listed),
			Backlog: st.Head + st.Backfill + st.Retry + st.Quarantined, Quarantined: st.Quarantined + st.Aside,
			Unlisted: st.Unlisted.Seconds(), TimeToLoss: st.TimeToLoss.Seconds(), Late: st.Late,
			Error: st.LastError, ErrorAt: known(st.LastErrorAt),
		})
	}
	return out
}

// known is nil for a time that is not known.
func known(t time.Time) *time.Time {
	if t.IsZero() || t.Unix() <= 0 {
		return nil
	}
	t = t.UTC()
	return &t
}

type idInput struct {
	ID string `path:"id" doc:"Event id" example:"e12.345"`
}

func (s *surface) event(ctx context.Context, in *idInput) (*body[v1.Event], error) {
	id, err := event.ParseID(in.ID)
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	e, err := s.node.Event(ctx, id)
	if err != nil {
		return nil, problem(err)
	}
	return &body[v1.Event]{v1.Event{
		ID: in.ID, Tenant: e.Origin.Tenant, Family: string(e.Origin.Family), Stream: e.Origin.Stream, Origin: e.Origin.Name,
		Ordinal: e.Record.Ordinal, VendorID: string(e.Record.ID), Time: fromNanos(e.Record.Time), Received: fromNanos(e.Record.Received),
		Committed: e.Committed, Mutated: e.Mutated, Event: e.OCSF, Raw: e.Record.Raw,
	}}, nil
}

func fromNanos(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

type searchInput struct {
	Q     string    `query:"q" doc:"Query; empty finds everything" example:"op:New-InboxRule -status:success"`
	Since time.Time `query:"since" doc:"Only events at this time or later"`
	Until time.Time `query:"until" doc:"Only events before this time"`
	Limit int       `query:"limit" default:"1000" minimum:"1" maximum:"1000000" doc:"Most results; of events, the newest are taken"`
	Full  bool      `query:"full" doc:"Whole events and not only their columns"`
}

// searchAnswer describes what search writes, for the document.
type searchAnswer struct {
	v1.SearchHeader
	Results []result `json:"results" doc:"Events, newest last unless the query sorts them, or rows of a table"`
	v1.SearchTrailer
}

// result is a [v1.Hit] or a row.
type result struct{}

// Schema describes it.
func (result) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[v1.Hit](), true, "Hit"),
		{Type: "object", AdditionalProperties: true, Description: "A row: the value of each column, null if there is none"},
	}}
}

// search runs the query to its end before it answers, so that a query that
// cannot be answered is refused with a status; the results are then written as
// they are read from the journal.
func (s *surface) search(ctx context.Context, in *searchInput) (*huma.StreamResponse, error) {
	start := time.Now()
	found, err := s.node.Search(ctx, node.Query{Text: in.Q, Since: in.Since, Until: in.Until, Limit: in.Limit})
	if err != nil {
		return nil, problem(err)
	}
	return answer("application/json", func(w io.Writer) error {
		h := v1.SearchHeader{Query: found.Query, Kind: "table", Columns: found.Columns}
		if found.Events {
			h.Kind = "events"
		}
		head, err := json.Marshal(h)
		if err != nil {
			return err
		}
		w.Write(append(head[:len(head)-1], `,"results":[`...))
		t := v1.SearchTrailer{Truncated: found.Truncated, Scanned: found.Scanned}
		if err := s.writeResults(ctx, w, found, in.Full); err != nil {
			t.Error = err.Error()
		}
		t.Seconds = time.Since(start).Seconds()
		tail, err := json.Marshal(t)
		if err != nil {
			return err
		}
		_, err = w.Write(append(append([]byte("],"), tail[1:]...), '\n'))
		return err
	}), nil
}

// window is how many events are read from the journal and held at a time.
const window = 512

func (s *surface) writeResults(ctx context.Context, w io.Writer, found *node.Found, full bool) error {
	var line []byte
	for lo := 0; lo < found.Len(); lo += window {
		hi := min(lo+window, found.Len())
		events := make([][]byte, hi-lo)
		if found.Events && full {
			var err error
			if events, err = s.node.Render(ctx, found.IDs()[lo:hi]); err != nil {
				return err
			}
		}
		for i := lo; i < hi; i++ {
			line = line[:0]
			if i > 0 {
				line = append(line, ',')
			}
			line = append(line, '\n')
			if found.Events {
				line = append(append(append(line, `{"id":"`...), found.ID(i).String()...), `","row":`...)
				line = appendEvent(found.AppendRow(line, i), events[i-lo])
			} else {
				line = found.AppendRow(line, i)
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendEvent ends the JSON of a [v1.Hit]; a record that is gone by policy
// leaves no event.
func appendEvent(dst, event []byte) []byte {
	if event != nil {
		dst = append(append(dst, `,"event":`...), event...)
	}
	return append(dst, '}')
}

type tailInput struct {
	Q    string `query:"q" doc:"Query without pipes; empty finds everything"`
	Full bool   `query:"full" doc:"Whole events and not only their columns"`
}

// lifeSign is how often a tail that finds nothing says that it is there; it is
// also how a reader that has gone away is noticed.
const lifeSign = 5 * time.Second

func (s *surface) tail(ctx context.Context, in *tailInput) (*huma.StreamResponse, error) {
	t, err := s.node.Tail(ctx, in.Q)
	if err != nil {
		return nil, problem(err)
	}
	return answer(ndjson, func(w io.Writer) error {
		defer t.Close()
		if _, err := io.WriteString(w, "{}\n"); err != nil { // begins the answer
			return err
		}
		var line []byte
		for {
			wait, cancel := context.WithTimeout(ctx, lifeSign)
			rows, err := t.Next(wait)
			timedOut := wait.Err() != nil && ctx.Err() == nil
			cancel()
			if err != nil && !timedOut {
				return err
			}
			line = line[:0]
			ids := make([]event.ID, len(rows))
			for i := range rows {
				ids[i] = rows[i].ID()
			}
			events := make([][]byte, len(rows))
			if in.Full {
				if events, err = s.node.Render(ctx, ids); err != nil {
					return err
				}
			}
			for i := range rows {
				line = append(append(append(line, `{"id":"`...), ids[i].String()...), `","row":`...)
				line = append(appendEvent(node.AppendRow(line, &rows[i]), events[i]), '\n')
			}
			if len(rows) == 0 {
				line = append(line, "{}\n"...)
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	}), nil
}

func (s *surface) proof(ctx context.Context, in *idInput) (*huma.StreamResponse, error) {
	id, err := event.ParseID(in.ID)
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	bundle, err := s.node.Prove(ctx, id)
	if err != nil {
		return nil, problem(err)
	}
	return answer("application/json", func(w io.Writer) error {
		return json.NewEncoder(w).Encode(bundle)
	}), nil
}

func (s *surface) checkpoint(context.Context, *nothing) (*huma.StreamResponse, error) {
	text, err := s.node.Checkpoint()
	if err != nil {
		return nil, problem(err)
	}
	return answer("text/plain; charset=utf-8", func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}), nil
}

// maxNotes is how many remarks about records an import's answer carries.
const maxNotes = 100

type importInput struct {
	Source string `query:"source" default:"auto" doc:"Kind of the records, as --source names it; auto tells it from each record"`
	Tenant string `query:"tenant" maxLength:"256" doc:"Tenant of records that do not say theirs"`
	Name   string `query:"name" default:"upload" maxLength:"1024" doc:"What the records came from: a file's base name"`

	body io.Reader
}

// Resolve takes the body as a stream; huma would read it whole.
func (in *importInput) Resolve(ctx huma.Context) []error {
	in.body = &patient{ctx: ctx, r: ctx.BodyReader()}
	return nil
}

// patient moves the connection's deadline on with every read, so that an upload
// may take as long as it wants but not stand still.
type patient struct {
	ctx huma.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	_, w := humago.Unwrap(p.ctx)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(idleTime)) // a handler in the same process has none
	return p.r.Read(b)
}

func (s *surface) importRecords(ctx context.Context, in *importInput) (*body[v1.ImportResult], error) {
	start := time.Now()
	out := v1.ImportResult{Notes: []string{}}
	im, err := s.node.NewImport(node.ImportOptions{Source: in.Source, Tenant: in.Tenant, Note: func(text string) {
		if len(out.Notes) < maxNotes {
			out.Notes = append(out.Notes, text)
		}
	}})
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	if err := im.Read(ctx, in.Name, in.body); err != nil {
		if s.node.Ready() != nil {
			return nil, problem(err)
		}
		if out.Failed = err.Error(); ctx.Err() != nil {
			out.Failed = in.Name + ": the server is stopping; what was read is stored, send the file again for the rest"
		}
	}
	// What was read is sealed also if the caller has gone away meanwhile.
	sum, err := im.Finish(context.WithoutCancel(ctx))
	if err != nil {
		return nil, problem(err)
	}
	out.Refused = sum.Refused
	out.Summary = v1.ImportSummary{
		Read: sum.Read, Stored: sum.Stored, Duplicates: sum.Duplicates, Mutated: sum.Mutated,
		Unparsed: sum.Unparsed, Detections: int64(sum.Detections), Seconds: time.Since(start).Seconds(),
	}
	return &body[v1.ImportResult]{out}, nil
}

func (s *surface) rotateKey(ctx context.Context, _ *nothing) (*body[v1.Rotated], error) {
	key, err := s.node.RotateKey(ctx)
	if err != nil {
		return nil, problem(err)
	}
	return &body[v1.Rotated]{v1.Rotated{Key: key}}, nil
}
