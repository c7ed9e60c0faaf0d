// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/graph"
)

// Family is that of the records: they are the feed's.
const Family event.Family = "m365"

// The verdicts about what the feed lacks of an operation, the weakest first. The words are those of package reconcile.
const (
	Agree        = "agree"
	NotCollected = "not collected" // nobody asks for the stream
	CannotSay    = "cannot say"    // it is not complete for the time
	Unmatched    = "unmatched"     // the feed should show it, and does not
)

var verdicts = []string{Agree, NotCollected, CannotSay, Unmatched}

// Count is what both have shown.
type Count struct {
	Feed, Query int64  // records
	Lacking     int64  // that the query shows and the feed does not
	Unshown     int64  // that the feed shows and the query does not
	Verdict     string // about the lacking ones
}

type tally = Count

// Limits of an hour.
const (
	mostOperations = 1000    // with counts and gaps of their own; all others are one without a name
	mostPending    = 1000    // records that wait for their acts
	mostBytes      = 8 << 20 // likewise
)

// hour is one that is compared.
type hour struct {
	c        *Check
	from, to time.Time
	feed     map[string]Fed
	known    *ids // the feed's records
	seen     *ids // the query's
	counts   map[string]*tally
	told     map[string]bool // codes of gaps that are said
	tape     jsontape.Tape
	pending  []lackedRecord
	bytes    int // of them
	chunk    int
	run      string
}

// lackedRecord is one that the feed lacks.
type lackedRecord struct {
	raw       []byte
	key       id
	id        string
	operation string
	stream    string
	gap       string // code of the one that is about it; empty: none is
	time      int64
	about     act.Orphan // who, as far as the record says
}

// compare reads an hour by a query, says and keeps what the feed lacks of it, and moves on.
func (c *Check) compare(ctx context.Context, from, to time.Time, feed map[string]Fed) error {
	h := &hour{
		c: c, from: from, to: to, feed: feed, known: newIDs(c.o.Dir), seen: newIDs(c.o.Dir), counts: map[string]*tally{}, told: map[string]bool{}, run: rand.Text(),
	}
	defer h.known.close()
	defer h.seen.close()
	at := c.o.API.Now()
	if err := h.read(ctx); err != nil {
		return err
	}
	gaps, err := h.query(ctx)
	if err == nil {
		err = h.flush(ctx)
	}
	if err != nil {
		return err
	}
	listed := act.Act{Kind: act.Listed, Stream: Stream, From: from, To: to, At: at, Cursor: "sweep", Pages: 1, Records: h.seen.count}
	if err := c.book.Witnessed(ctx, append(gaps, listed)...); err != nil {
		return err
	}
	for _, n := range h.counts {
		n.Unshown = n.Feed - n.Unshown // which counted those that both show
	}
	return c.move(ctx, func(p *place) { p.next++ }, func(tx *sql.Tx) error { return c.count(tx, from.Unix()/3600, h.counts) })
}

// read takes in what the journal has of the feed, but for our own copies.
func (h *hour) read(ctx context.Context) error {
	ours, err := h.c.lacking(ctx)
	if err != nil {
		return err
	}
	defer ours.close()
	return h.c.o.Feed.Records(ctx, h.from, h.to, func(name, operation string) error {
		k := keyOf([]byte(name))
		if copied, err := ours.has(k); copied || err != nil {
			return err
		}
		fresh, err := h.known.add(k)
		if fresh {
			h.count(operation).Feed++
		}
		return err
	})
}

// query reads the hour, as far as the application may: of all workloads, or of each that it has a permission for. It returns the gaps
// in which there may be more than was read, and those of the workloads that it may not read.
func (h *hour) query(ctx context.Context) (gaps []act.Act, err error) {
	roles, err := h.c.o.API.Roles(ctx)
	if err != nil {
		return nil, err
	}
	may, not := graph.AuditScope(roles)
	if len(may) == 0 { // it may read all, or it is refused
		may, not = []string{""}, nil
	}
	for _, workload := range may {
		o := Options{API: spaced{h.c.o.API, h.c}, Dir: h.c.o.Dir, Stream: Stream, Workload: workload, Wait: h.c.o.Wait}
		more, err := Read(ctx, o, h.from, h.to, func(raw []byte) error { return h.take(ctx, raw) })
		if gaps = append(gaps, more...); err != nil {
			return gaps, err
		}
	}
	for _, workload := range not {
		gaps = append(gaps, act.Act{
			Kind: act.Gap, Stream: Stream, Subject: workload, From: h.from, To: h.to, Reason: act.Permission, Permanent: true,
			Message: "not compared: the application lacks " + graph.AuditQueryRole + ", and has permissions of other services alone",
		})
	}
	return gaps, nil
}

// count is what is counted of an operation.
func (h *hour) count(operation string) *tally {
	if len(operation) > act.MaxName || !utf8.ValidString(operation) {
		operation = ""
	}
	n := h.counts[operation]
	if n == nil && len(h.counts) >= mostOperations {
		operation = ""
		n = h.counts[operation]
	}
	if n == nil {
		n = &tally{Verdict: Agree}
		h.counts[strings.Clone(operation)] = n
	}
	return n
}

// take looks at a record that the query shows, which may come more than once.
func (h *hour) take(ctx context.Context, raw []byte) error {
	r := h.parse(raw)
	if fresh, err := h.seen.add(r.key); err != nil || !fresh {
		return err
	}
	known, err := h.known.has(r.key)
	if err != nil {
		return err
	}
	n := h.count(r.operation)
	n.Query++
	if known {
		n.Unshown++
		return nil
	}
	n.Lacking++
	fed, collected := h.feed[r.stream]
	verdict := Unmatched
	switch {
	case !collected:
		verdict = NotCollected
	case !fed.Complete:
		verdict = CannotSay
	}
	if slices.Index(verdicts, verdict) > slices.Index(verdicts, n.Verdict) {
		n.Verdict = verdict
	}
	if !collected { // nobody wants it
		return nil
	}
	r.raw = bytes.Clone(r.raw)
	h.pending = append(h.pending, r)
	if h.bytes += len(r.raw); len(h.pending) < mostPending && h.bytes < mostBytes {
		return nil
	}
	return h.flush(ctx)
}

// parse reads an auditLogRecord. The record is what stands in its auditData, as the feed delivers it; or all of it, should there be none.
func (h *hour) parse(raw []byte) (r lackedRecord) {
	r.raw = raw
	var root jsontape.Value
	if h.tape.Parse(raw) == nil {
		root = h.tape.Root()
	}
	data := root.Get("auditData")
	if data.Kind() == jsontape.Object && data.Get("Id").Exists() {
		r.raw = data.Raw()
	}
	name := data.Get("Id").Str()
	if len(name) == 0 {
		name = root.Get("id").Str()
	}
	r.id, r.key = text(name), keyOf(name)
	if len(name) == 0 {
		r.key = keyOf(raw)
	}
	if r.operation = text(data.Get("Operation").Str()); r.operation == "" {
		r.operation = text(root.Get("operation").Str())
	}
	r.stream = streamOf(data)
	if _, r.time = h.c.o.Identify(r.raw); r.time == 0 {
		if t, err := time.Parse(time.RFC3339, string(root.Get("createdDateTime").Str())); err == nil {
			r.time = t.UnixNano()
		}
	}
	r.about = act.Orphan{User: text(data.Get("UserId").Str()), App: text(data.Get("AppId").Str()), Address: text(data.Get("ClientIP").Str())}
	return r
}

// text is a string that an act can hold; empty if it is none.
func text(s []byte) string {
	if len(s) > act.MaxName || !utf8.Valid(s) {
		return ""
	}
	return string(s)
}

// keyOf names a record by its id, which is a GUID.
func keyOf(name []byte) id {
	sum := sha256.Sum256(bytes.ToLower(name))
	return id(sum[:16])
}

// streamOf tells in which stream of the feed a record has to be. "Audit.General includes all other workloads not included in the
// previous content types"; events of data loss prevention are DLP.All whatever the workload (Office 365 Management Activity API
// reference, "Working with the API"; record types 11, 13, 33, 63 and 107 are those of the DLP schema).
func streamOf(data jsontape.Value) string {
	typ, _ := data.Get("RecordType").Int()
	switch typ {
	case 11, 13, 33, 63, 107:
		return "DLP.All"
	}
	switch string(data.Get("Workload").Str()) {
	case "AzureActiveDirectory":
		return "Audit.AzureActiveDirectory"
	case "Exchange":
		return "Audit.Exchange"
	case "SharePoint", "OneDrive":
		return "Audit.SharePoint"
	}
	return "Audit.General"
}

// flush says what the feed lacks, and keeps it.
func (h *hour) flush(ctx context.Context) error {
	if len(h.pending) == 0 {
		return nil
	}
	c := h.c
	if err := c.note(ctx, h.pending); err != nil {
		return err
	}
	if err := h.tell(ctx); err != nil {
		return err
	}
	now := c.o.API.Now()
	h.chunk++
	sealed := act.Act{
		Kind: act.Sealed, Stream: Stream, Cursor: "sweep", Run: h.run, Records: len(h.pending), Bytes: int64(h.bytes), Received: now,
		Blob: &act.Blob{ID: fmt.Sprintf("%s part %d %s", h.from.Format(time.RFC3339), h.chunk, h.run), Created: h.from},
	}
	commits, err := h.keep(ctx, now)
	if err != nil {
		return err
	}
	for _, commit := range commits {
		result, err := c.book.Durable(ctx, commit)
		if err != nil {
			return err
		}
		sealed.Stored, sealed.Duplicates, sealed.Mutated = sealed.Stored+result.Stored, sealed.Duplicates+result.Duplicates, sealed.Mutated+result.Mutated
	}
	err = c.book.Witnessed(ctx, sealed)
	h.pending, h.bytes = h.pending[:0], 0
	return err
}

// keep appends what is pending, that of each gap as a piece of its own, whose name tells the gap: see [codeIn].
func (h *hour) keep(ctx context.Context, now time.Time) (commits []*journal.Commit, err error) {
	slices.SortStableFunc(h.pending, func(a, b lackedRecord) int { return strings.Compare(a.gap, b.gap) })
	var records []event.Record
	for i := range h.pending {
		r := &h.pending[i]
		records = append(records, event.Record{Raw: r.raw, ID: []byte(r.id), Time: r.time, Offered: now.UnixNano(), Received: now.UnixNano(), Ordinal: uint64(len(records))})
		if i+1 < len(h.pending) && h.pending[i+1].gap == r.gap {
			continue
		}
		name := strings.TrimSpace(fmt.Sprintf("%s part %d %s", h.from.Format(time.RFC3339), h.chunk, r.gap))
		commit, err := h.c.book.Append(ctx, event.Origin{Tenant: h.c.o.Tenant, Family: Family, Stream: Stream, Run: h.run, Name: name}, records)
		if err != nil {
			return nil, err
		}
		commits, records = append(commits, commit), nil
	}
	return commits, nil
}

// codeIn is the code of the gap that the records of an origin were kept for; empty: of none.
func codeIn(o *event.Origin) string {
	if code := o.Name[strings.LastIndexByte(o.Name, ' ')+1:]; isCode(code) {
		return code
	}
	return ""
}

// tell says of each operation that the feed lacks records of it, once: a gap, and a finding that rules judge.
func (h *hour) tell(ctx context.Context) error {
	c := h.c
	var gaps []act.Act
	var found []event.Record
	for i := range h.pending {
		r := &h.pending[i]
		fed := h.feed[r.stream]
		subject := r.operation
		if h.counts[subject] == nil {
			subject = "" // one too many, or none that an act can hold: the gap is of the stream
		}
		if !fed.Complete {
			continue
		}
		code := codeOf(c.o.Tenant, r.stream, subject, h.from.Format(time.RFC3339))
		if r.gap = code; h.told[code] {
			continue
		}
		h.told[code] = true
		what := "records"
		if subject != "" {
			what += " of " + subject
		}
		message := fmt.Sprintf("the audit query shows %s that %s of the Management Activity API, which is complete, does not have", what, r.stream)
		gaps = append(gaps, act.Act{
			Kind: act.Gap, Source: fed.Source, Stream: r.stream, Subject: subject, From: h.from, To: h.to, Reason: act.Unmatched, Permanent: true, Code: code, Message: message,
		})
		orphan := r.about
		orphan.ID, orphan.Kind, orphan.Tenant, orphan.Stream, orphan.Operation, orphan.Record, orphan.Message = code, act.OrphanRecordKind, c.o.Tenant, r.stream, r.operation, r.id, message
		orphan.Time = time.Unix(0, r.time).UTC()
		if r.time == 0 {
			orphan.Time = h.from
		}
		if err := orphan.Check(); err != nil {
			return err
		}
		found = append(found, event.Record{Raw: orphan.Append(nil), ID: []byte(code), Time: orphan.Time.UnixNano(), Received: time.Now().UnixNano(), Ordinal: uint64(len(found))})
	}
	if len(gaps) == 0 {
		return nil
	}
	if err := c.findings(ctx, found); err != nil {
		return err
	}
	return c.book.Witnessed(ctx, gaps...) // which stand behind the findings
}

// findings appends records that rules judge.
func (c *Check) findings(ctx context.Context, list []event.Record) error {
	if len(list) == 0 {
		return nil
	}
	_, err := c.book.Append(ctx, event.Origin{Tenant: c.o.Tenant, Family: act.Family, Stream: act.Findings, Name: c.o.Name, Run: rand.Text()}, list)
	return err
}

// codeOf names a finding by what it is about.
func codeOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return codePrefix + hex.EncodeToString(sum[:16])
}

const codePrefix = "auditquery-"

func isCode(s string) bool { return strings.HasPrefix(s, codePrefix) && len(s) == len(codePrefix)+32 }
