// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

func open(t *testing.T) *journal.Journal {
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), CheckpointInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// acts reads n acts from the beginning of the journal.
func acts(t *testing.T, j *journal.Journal, n int) []act.Act {
	t.Helper()
	var list []act.Act
	for f := j.Follow(0); len(list) < n; {
		b, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			o := b.Envelope(i)
			if o.Family != act.Family {
				continue
			}
			if o.Stream != act.Stream || o.Tenant != "tenant" || o.Name != "contoso" {
				t.Errorf("origin %+v", o)
			}
			a, err := act.Parse(b.Raw(i))
			if err != nil {
				t.Fatal(err)
			}
			if string(b.Records[i].ID) != a.ID || b.Records[i].Time != a.Time.UnixNano() {
				t.Errorf("receipt %q at %d of act %q at %v", b.Records[i].ID, b.Records[i].Time, a.ID, a.Time)
			}
			list = append(list, a)
		}
	}
	return list
}

func TestWriterFillsInAndKeepsTheOrder(t *testing.T) {
	j := open(t)
	w := act.NewWriter(j, "contoso", "tenant")
	before := time.Now()
	if _, err := w.Write(t.Context(), act.Act{Kind: act.Started}, act.Act{Kind: act.Listed, Stream: "DLP.All", Time: noon}); err != nil {
		t.Fatal(err)
	}
	c, err := w.Write(t.Context(), act.Act{Kind: act.Stopped})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := acts(t, j, 3)
	if list[0].Kind != act.Started || list[1].Kind != act.Listed || list[2].Kind != act.Stopped {
		t.Errorf("in the order %s, %s, %s", list[0].Kind, list[1].Kind, list[2].Kind)
	}
	if list[0].Time.Before(before.Truncate(0)) || !list[1].Time.Equal(noon) || list[0].Source != "contoso" || list[0].Tenant != "tenant" {
		t.Errorf("filled in: %+v %+v", list[0], list[1])
	}
}

func TestWriterRefusesAndGoesOn(t *testing.T) {
	j := open(t)
	w := act.NewWriter(j, "contoso", "tenant")
	if _, err := w.Write(t.Context(), act.Act{Kind: act.Gap}, act.Act{}); err == nil {
		t.Error("an act without a kind was written")
	}
	c, err := w.Write(t.Context(), act.Act{Kind: act.Filled})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := c.Wait(t.Context()); err != nil || r.Stored != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if list := acts(t, j, 1); list[0].Kind != act.Filled {
		t.Errorf("got %s: a refused act was written", list[0].Kind)
	}
}

func TestWriterFromManyGoroutines(t *testing.T) {
	j := open(t)
	w := act.NewWriter(j, "contoso", "tenant")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 20 {
				if _, err := w.Write(t.Context(), act.Act{Kind: act.Failed, Message: fmt.Sprint(i, k)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, a := range acts(t, j, 160) {
		if seen[a.ID] || seen[a.Message] {
			t.Errorf("twice: %+v", a)
		}
		seen[a.ID], seen[a.Message] = true, true
	}
}

// TestWriterIsForgotten opens so many origins that the journal no longer knows
// the writer's.
func TestWriterIsForgotten(t *testing.T) {
	j := open(t)
	w := act.NewWriter(j, "contoso", "tenant")
	write := func() {
		t.Helper()
		c, err := w.Write(t.Context(), act.Act{Kind: act.Alarm})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := c.Wait(t.Context()); err != nil || r.Stored != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	write()
	for i := range 1<<16 + 1 {
		if _, err := j.Append(t.Context(), event.Origin{Family: "json", Name: fmt.Sprint(i)}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	write()
	write()
	if n := len(acts(t, j, 3)); n != 3 {
		t.Errorf("%d acts", n)
	}
}

func TestWriterStopsWithTheJournal(t *testing.T) {
	j := open(t)
	w := act.NewWriter(j, "contoso", "tenant")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Write(ctx, act.Act{Kind: act.Alarm}); err == nil {
		t.Error("written although the context has ended")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(t.Context(), act.Act{Kind: act.Alarm}); err == nil {
		t.Error("written to a closed journal")
	}
}
