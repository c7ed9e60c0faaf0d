// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package duckdb_test reads the lake with DuckDB: the promise that others can
// use the files without us. It needs node and the package in package.json:
//
//	(cd test/duckdb && npm ci) && DAYBREAK_DUCKDB=1 go test -count=1 ./test/duckdb
//
// Without DAYBREAK_DUCKDB in the environment the test is skipped.
package duckdb_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/laketest"
	"github.com/daybreak-sec/daybreak/store"
)

const page = "../../docs/format/lake.md"

type record = map[string]any

// query runs the examples of a page over the lake in dir.
func query(t *testing.T, dir, page string) map[string][]record {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "check.mjs", dir, page)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var results map[string][]record
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatal(err)
	}
	return results
}

// write makes a lake of rows of two tenants and several days, part of them
// staged, and returns its directory.
func write(t *testing.T, rows []lake.Row) string {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := lake.Open(t.Context(), filepath.Join(dir, "lake"), db, lake.Options{NoMerge: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	half := len(rows) / 2
	for i, part := range [][]lake.Row{rows[:half], rows[half:]} {
		last := part[len(part)-1].ID()
		if err := l.Append(t.Context(), part, event.ID{Batch: last.Batch, Index: last.Index + 1}); err != nil {
			t.Fatal(err)
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := l.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if l.Stats().Staged == 0 {
		t.Fatal("no rows are staged")
	}
	return filepath.Join(dir, "lake")
}

func makeRows() []lake.Row {
	rows := laketest.New(21).Next(100_000)
	for i := range rows {
		if i%10 == 0 {
			rows[i].Tenant = "contoso"
			rows[i].Time -= int64(i/10%3) * 24 * 60 * 60 * 1000
		}
		if i%1000 == 7 {
			rows[i].User, rows[i].Text = "", strings.Repeat("long text with ünïcödé ", 10)
		}
	}
	return rows
}

func TestDuckDBReadsTheLake(t *testing.T) {
	if os.Getenv("DAYBREAK_DUCKDB") == "" {
		t.Skip("DAYBREAK_DUCKDB is not set")
	}
	rows := makeRows()
	dir := write(t, rows)
	person := rows[3].User
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(t.TempDir(), "lake.md")
	if err := os.WriteFile(mine, []byte(strings.ReplaceAll(string(text), "PERSON", person)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := query(t, dir, mine)
	staged := stagedIDs(t, dir)
	want := answers(rows, staged, person)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("DuckDB and Daybreak differ (-Daybreak +DuckDB):\n%s", diff)
	}
}

// stagedIDs asks DuckDB itself which rows are not yet in a day's directory.
func stagedIDs(t *testing.T, dir string) map[string]bool {
	t.Helper()
	page := filepath.Join(t.TempDir(), "staged.md")
	sql := "<!-- duckdb: staged -->\n```sql\nSELECT 'e' || batch || '.' || \"index\" AS id FROM read_parquet('DATA/lake/staging/*.parquet')\n```\n"
	if err := os.WriteFile(page, []byte(sql), 0o600); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range query(t, dir, page)["staged"] {
		ids[r["id"].(string)] = true
	}
	return ids
}

// answers gives the results of the page's examples, in DuckDB's JSON form:
// numbers of 64 bits are strings.
func answers(rows []lake.Row, staged map[string]bool, person string) map[string][]record {
	operations, failures, people := map[string]int{}, map[int64]int{}, map[string]bool{}
	low, high := rows[0].Time, rows[0].Time
	var hers []lake.Row
	for _, r := range rows {
		if r.User != "" {
			people[r.User] = true
		}
		low, high = min(low, r.Time), max(high, r.Time)
		if staged[r.ID().String()] {
			continue
		}
		day := lake.DayOf(r.Time).String()
		if day == "2026-11-20" {
			operations[r.Operation]++
		}
		if r.StatusID == 2 {
			failures[r.Time-r.Time%3_600_000]++
		}
		if r.User == person && day == "2026-11-20" {
			hers = append(hers, r)
		}
	}
	want := map[string][]record{}
	for op, n := range operations {
		want["operations"] = append(want["operations"], record{"op": op, "events": strconv.Itoa(n)})
	}
	slices.SortFunc(want["operations"], func(a, b record) int {
		x, _ := strconv.Atoi(a["events"].(string))
		y, _ := strconv.Atoi(b["events"].(string))
		return cmp.Or(cmp.Compare(y, x), cmp.Compare(a["op"].(string), b["op"].(string)))
	})
	want["operations"] = want["operations"][:min(len(want["operations"]), 10)]
	for hour, n := range failures {
		want["failures"] = append(want["failures"], record{"hour": strconv.FormatInt(hour, 10), "failures": strconv.Itoa(n)})
	}
	slices.SortFunc(want["failures"], func(a, b record) int { return cmp.Compare(a["hour"].(string), b["hour"].(string)) })
	slices.SortFunc(hers, func(a, b lake.Row) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Index, b.Index))
	})
	want["person"] = []record{}
	for _, r := range hers {
		want["person"] = append(want["person"], record{
			"time": stamp(r.Time), "op": r.Operation, "ip": r.IP, "object": null(r.Object), "event_id": r.ID().String(),
		})
	}
	n := strconv.Itoa(len(rows))
	want["everything"] = []record{{"events": n, "ids": n, "people": strconv.Itoa(len(people)), "first": stamp(low), "last": stamp(high)}}
	return want
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stamp is how DuckDB prints a time: without the zeros at its end.
func stamp(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	s := t.Format("2006-01-02 15:04:05")
	if f := t.Nanosecond() / 1e6; f != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%03d", f), "0")
	}
	return s + "+00"
}

// TestDuckDBFindsValues compares counts of single values in every column: a
// wrong bound, bloom filter or null would make DuckDB skip rows.
func TestDuckDBFindsValues(t *testing.T) {
	if os.Getenv("DAYBREAK_DUCKDB") == "" {
		t.Skip("DAYBREAK_DUCKDB is not set")
	}
	rows := makeRows()
	dir := write(t, rows)
	texts := func(r lake.Row) []string {
		return []string{
			r.Tenant, r.Family, r.Workload, r.Operation, r.User, r.UserUID, r.IP, r.Country, r.App,
			r.Session, r.Device, r.Target, r.Object, r.UserAgent, r.Status, r.Text, r.UID,
		}
	}
	var sql strings.Builder
	want := map[string][]record{}
	for c, column := range lake.Columns[lake.ColTenant:] {
		for i := 7; i < len(rows); i += len(rows) / 5 {
			value := texts(rows[i])[c]
			n := 0
			for _, r := range rows {
				if texts(r)[c] == value {
					n++
				}
			}
			condition := "= '" + strings.ReplaceAll(value, "'", "''") + "'"
			if value == "" {
				condition = "IS NULL"
			}
			name := fmt.Sprintf("%s-%d", column.Name, i)
			fmt.Fprintf(&sql, "<!-- duckdb: %s -->\n```sql\nSELECT count(*) AS n FROM read_parquet('DATA/lake/**/*.parquet', hive_partitioning = false) WHERE %q %s\n```\n", name, column.Name, condition)
			want[name] = []record{{"n": strconv.Itoa(n)}}
		}
	}
	page := filepath.Join(t.TempDir(), "values.md")
	if err := os.WriteFile(page, []byte(sql.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, query(t, dir, page)); diff != "" {
		t.Errorf("DuckDB and Daybreak differ (-Daybreak +DuckDB):\n%s", diff)
	}
}
