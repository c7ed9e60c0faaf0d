// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/store"
)

// noon is the beginning of an interval; times of tests are minutes from it.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func minute(m float64) time.Time { return noon.Add(time.Duration(m * float64(time.Minute))) }

// bed is a database to derive into.
type bed struct {
	t     testing.TB
	db    *store.DB
	c     *coverage.Coverage
	batch uint64
	now   time.Time // by the provider
}

func newBed(t testing.TB) *bed {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c, err := coverage.Open(t.Context(), db, coverage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &bed{t: t, db: db, c: c}
}

// take takes acts in, in a transaction of their own.
func (b *bed) take(acts ...act.Act) {
	b.t.Helper()
	if err := b.c.Take(b.t.Context(), b.batch, acts...); err != nil {
		b.t.Fatal(err)
	}
	b.batch++
}

func (b *bed) report(since, until float64) *coverage.Report {
	b.t.Helper()
	r, err := b.c.Report(b.t.Context(), coverage.Query{
		Since: minute(since), Until: minute(until), Wall: noon.Add(1000 * time.Hour),
		Now: func(string) (time.Time, bool) { return b.now, true },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// at sets the provider's clock and compares the states of the intervals from noon
// on, as "12:00–12:05 complete; 12:05–12:15 late not listed".
func (b *bed) at(now float64, want string) {
	b.t.Helper()
	b.between(0, now, now, want)
}

func (b *bed) between(since, until, now float64, want string) {
	b.t.Helper()
	b.now = minute(now)
	if got := states(b.report(since, until)); got != want {
		b.t.Errorf("at minute %v\n got %s\nwant %s", now, got, want)
	}
}

func states(r *coverage.Report) string {
	var list []string
	for i := range r.Spans {
		_, s, _ := strings.Cut(r.Spans[i].String(), " ")
		list = append(list, s)
	}
	return strings.Join(list, "; ")
}

const (
	tenant = "0873ee4d"
	stream = "Audit.Exchange"
)

// listed is a listing of [from, to) that was begun at a minute and read to its
// end, with the blobs that were new in it.
func listed(from, to, at float64, blobs ...act.Blob) act.Act {
	return act.Act{
		Kind: act.Listed, Source: "contoso", Tenant: tenant, Stream: stream, Time: minute(at), Cursor: "head",
		From: minute(from), To: minute(to), At: minute(at), Pages: 1, Blobs: len(blobs), New: blobs,
	}
}

// part is a page of a listing that was not the last.
func part(at float64, blobs ...act.Blob) act.Act {
	a := listed(0, 0, at, blobs...)
	a.From, a.To, a.Part = time.Time{}, time.Time{}, true
	return a
}

// blob is one that was created at a minute; its name says when.
func blob(created float64) act.Blob {
	return act.Blob{ID: fmt.Sprintf("b%v", created), Created: minute(created), Expires: minute(created).Add(7 * 24 * time.Hour)}
}

// sealed is the act that stands behind a blob's records.
func sealed(b act.Blob, at float64, records int) act.Act {
	return act.Act{
		Kind: act.Sealed, Source: "contoso", Tenant: tenant, Stream: stream, Time: minute(at), Blob: &b,
		Records: records, Stored: records, Bytes: int64(1000 * records),
	}
}

func gap(a act.Act) act.Act {
	a.Kind, a.Source, a.Tenant, a.Stream = act.Gap, "contoso", tenant, stream
	return a
}

func filled(a act.Act) act.Act {
	a = gap(a)
	a.Kind = act.Filled
	return a
}
