// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
)

// newApp finds what an account uses for the first time, and then that it makes a rule.
const newApp = `
title: Use of an application
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9a01
name: use
logsource: {product: m365}
detection:
  use: {Operation: Use}
  condition: use
level: informational
---
title: New application
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9a02
name: new
correlation:
  type: new_value
  rules: [use]
  group-by: [UserId]
  behavior: {fields: [App], learn: 1d, remember: 90d}
level: low
daybreak:
  suppress: {by: [UserId], for: 1h}
---
title: A rule is made
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9a03
name: made
logsource: {product: m365}
detection:
  made: {Operation: Make}
  condition: made
level: informational
---
title: New application, then a rule
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9a04
correlation:
  type: temporal_ordered
  rules: [new, made]
  group-by: [UserId]
  timespan: 1h
  generate: true
level: high
`

func open(t *testing.T, rules string) *detect.Book {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := detect.Open(detect.BookOptions{Paths: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Problems {
		t.Error(p.Error())
	}
	return b
}

// stage is an engine that can be stopped and started again.
type stage struct {
	*testing.T
	book   *detect.Book
	db     *pebble.DB
	judge  *detect.Judge
	engine *detect.Engine
	alerts []detect.Alert
}

func newStage(t *testing.T, rules string) *stage {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &stage{T: t, book: open(t, rules), db: db}
	s.judge = judge(s.book)
	s.engine = detect.NewEngine(s.book, db)
	return s
}

// take takes a record of Anna's.
func (s *stage) take(at time.Duration, operation, app string) {
	s.Helper()
	when := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(at)
	raw := fmt.Appendf(nil, `{"Id":"%s %v","CreationTime":%q,"Operation":%q,"App":%q,"UserId":"anna","Workload":"Exchange"}`, app, at, when.Format("2006-01-02T15:04:05"), operation, app)
	found := s.judge.Record(raw, m365, nil)
	if len(found) != 1 {
		s.Fatalf("%s matches %v", raw, found)
	}
	s.engine.Take(correlate.Ref{ID: event.ID{Index: 1}, Time: when.UnixNano(), Key: detect.KeyOf("t", m365, nil, raw)}, "t", found)
	s.engine.Advance(correlate.Clock{Watermark: when.Add(-240 * time.Hour).UnixNano(), Received: when.UnixNano()})
	s.alerts = append(s.alerts, s.engine.Alerts()...)
}

// restart flushes the engine and goes on with another one.
func (s *stage) restart() {
	s.Helper()
	b := s.db.NewBatch()
	defer b.Close()
	if err := s.engine.Flush(b); err != nil {
		s.Fatal(err)
	}
	if err := b.Commit(nil); err != nil {
		s.Fatal(err)
	}
	s.engine = detect.NewEngine(s.book, s.db)
}

// end returns how many alerts of each title stand.
func (s *stage) end() map[string]int {
	s.engine.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	s.alerts = append(s.alerts, s.engine.Alerts()...)
	n := map[string]int{}
	for _, a := range detect.Standing(s.alerts) {
		if a.Level != "informational" {
			n[a.Title]++
		}
	}
	return n
}

// TestTakenBack: what a behavior has said, and a late record has made untrue, is taken back from the
// correlations that it was told as well, whether the engine was restarted meanwhile or not.
func TestTakenBack(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		name          string
		late, restart bool
		want          int
	}{
		{"it is new", false, false, 1},
		{"it was used before", true, false, 0},
		{"it was used before, after a restart", true, true, 0},
		{"it is new, after a restart", false, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, newApp)
			s.take(0, "Use", "mail")
			s.take(3*day, "Use", "notes")
			s.take(3*day+10*time.Minute, "Make", "")
			if test.restart {
				s.restart()
			}
			if test.late {
				s.take(5*time.Hour, "Use", "notes")
			}
			got := s.end()
			for _, title := range []string{"New application", "New application, then a rule"} {
				if got[title] != test.want {
					t.Errorf("%d alerts %q, want %d", got[title], title, test.want)
				}
			}
		})
	}
}
