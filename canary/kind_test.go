// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
)

// kinds are those that change something, done in the simulated tenant.
func (b *bench) kinds() map[string]canary.Kind {
	group, drive, mailbox := b.sim.Directory().CanaryTargets()
	return map[string]canary.Kind{
		canary.Group: {Name: canary.Group, Says: "describe", Do: func(ctx context.Context, marker string) (string, error) {
			return marker, b.client.DescribeGroup(ctx, budget.Head, group.String(), canary.Tagged(marker))
		}},
		canary.File: {
			Name: canary.File, Says: "put", Do: func(ctx context.Context, marker string) (string, error) {
				return marker, b.client.PutFile(ctx, budget.Head, drive, canary.Tagged(marker)+".txt", "text")
			}, Clean: func(ctx context.Context, marker string) error {
				return b.client.DeleteFile(ctx, budget.Head, drive, canary.Tagged(marker)+".txt")
			},
		},
		canary.Mail: {
			Name: canary.Mail, Says: "send", Do: func(ctx context.Context, marker string) (string, error) {
				return marker, b.client.SendMail(ctx, budget.Head, mailbox, canary.Tagged(marker), "text")
			}, Clean: func(ctx context.Context, marker string) error {
				n, err := b.client.DeleteMail(ctx, budget.Head, mailbox, canary.Tagged(marker))
				if err == nil && n == 0 {
					return canary.ErrNotThere
				}
				return err
			},
		},
	}
}

// plants begins anew with one kind, of which some channels are collected.
func (b *bench) plants(kind string, channels ...string) {
	b.Helper()
	b.options.Kinds, b.options.Collected = []canary.Kind{b.kinds()[kind]}, only(channels...)
	b.start()
}

// logged reads the unified audit log into the journal, and tells the watch of it.
func (b *bench) logged(stream company.Stream) {
	b.Helper()
	if err := b.sim.Jump(10 * time.Minute); err != nil {
		b.Fatal(err)
	}
	var raw [][]byte
	b.sim.Happened(stream, tuesday.Add(-time.Hour), b.sim.Now(), func(_, _ time.Time, r []byte) bool {
		raw = append(raw, slices.Clone(r))
		return true
	})
	b.keep(event.Origin{Tenant: b.options.Tenant, Family: "m365", Stream: stream.String()}, true, raw...)
}

// shown reads a log of Graph into the journal, and tells the watch of it.
func (b *bench) shown(name string, family event.Family) {
	b.Helper()
	stream, _ := provider.Lookup(name)
	page, err := b.reader.List(b.Context(), budget.Head, stream, tuesday.Add(-time.Hour), b.sim.Now(), "")
	if err != nil {
		b.Fatal(err)
	}
	b.keep(event.Origin{Tenant: b.options.Tenant, Family: family, Stream: name}, true, page.Records...)
}

// later lets time pass, in the tenant as well.
func (b *bench) later(d time.Duration) {
	b.Helper()
	b.ahead += d
	if err := b.sim.Jump(d); err != nil {
		b.Fatal(err)
	}
}

// TestKinds: what each kind does is seen through every channel that shows it, and nothing is left in the tenant but the
// description of the group.
func TestKinds(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		stream company.Stream
		also   string // a log of Graph
		family event.Family
		cleans bool
	}{
		canary.Group: {company.AzureActiveDirectory, "directoryAudits", "entra-audit", false},
		canary.File:  {company.SharePoint, "", "", true},
		canary.Mail:  {company.Exchange, "messageTraces", "message-trace", true},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			channels := []string{c.stream.String()}
			if c.also != "" {
				channels = append(channels, c.also)
			}
			b.plants(kind, channels...)
			planted := b.once()
			b.want(planted, "planted")
			if want := `{"name":"daybreak-canary-`; !strings.HasPrefix(planted[0].After, want) || planted[0].Code != kind {
				t.Errorf("the act is %+v", planted[0])
			}
			if n := len(b.graph.Left()); (n == 1) != c.cleans {
				t.Errorf("%d things are left", n)
			}
			b.later(40 * time.Second)
			var cleaned []string
			if c.cleans {
				cleaned = []string{"cleaned"}
			}
			b.want(b.once(), cleaned...)
			if left := b.graph.Left(); len(left) != 0 {
				t.Errorf("left are %q", left)
			}
			b.logged(c.stream)
			b.want(b.once(), "arrived "+c.stream.String())
			if c.also != "" {
				b.shown(c.also, c.family)
				b.want(b.once(), "arrived "+c.also)
			}
			if s := b.w.Standings(); len(s) != len(channels) || s[0].Kind != kind || s[0].Waiting+s[0].Missing != 0 {
				t.Errorf("standings are %+v", s)
			}
		})
	}
}

// TestTheNext: a canary whose record is missing does not arrive by that of the next one, which tells what the group's
// description was, nor by that of its own clean-up, which has the file's name.
func TestTheNext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plants(canary.Group, "Audit.AzureActiveDirectory")
	b.want(b.once(), "planted")
	b.later(time.Hour)
	b.want(b.once(), "planted")
	var second []byte
	if err := b.sim.Jump(10 * time.Minute); err != nil {
		t.Fatal(err)
	}
	b.sim.Happened(company.AzureActiveDirectory, tuesday, b.sim.Now(), func(_, _ time.Time, r []byte) bool {
		if strings.Count(string(r), canary.Tagged("")) >= 2 {
			second = slices.Clone(r)
		}
		return true
	})
	if second == nil {
		t.Fatal("no record has both descriptions")
	}
	b.keep(event.Origin{Tenant: b.options.Tenant, Family: "m365", Stream: "Audit.AzureActiveDirectory"}, true, second)
	b.want(b.once(), "arrived Audit.AzureActiveDirectory")
	if s := b.w.Standings(); len(s) != 1 || s[0].Waiting != 1 {
		t.Errorf("standings are %+v", s)
	}

	b = newBench(t)
	b.plants(canary.File, "Audit.SharePoint")
	b.want(b.once(), "planted")
	b.later(time.Minute)
	b.want(b.once(), "cleaned")
	if err := b.sim.Jump(10 * time.Minute); err != nil {
		t.Fatal(err)
	}
	var recycled [][]byte
	b.sim.Happened(company.SharePoint, tuesday, b.sim.Now(), func(_, _ time.Time, r []byte) bool {
		if strings.Contains(string(r), "FileRecycled") {
			recycled = append(recycled, slices.Clone(r))
		}
		return true
	})
	b.keep(event.Origin{Tenant: b.options.Tenant, Family: "m365", Stream: "Audit.SharePoint"}, true, recycled...)
	b.want(b.once())
	if s := b.w.Standings(); len(recycled) != 1 || len(s) != 1 || s[0].Waiting != 1 {
		t.Errorf("%d records, standings are %+v", len(recycled), s)
	}
}

// TestNothingIsLeft: the process dies at each change of the journal and the database, and the next goes on: a file that was
// put into the tenant is taken away, whether anybody knew that it was put there or not.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	died := errors.New("died")
	for point := 1; ; point++ {
		b := newBench(t)
		b.plants(canary.File, "Audit.SharePoint")
		count := 0
		b.w.Fault(func(string) error {
			if count++; count == point {
				return died
			}
			return nil
		})
		_, err := b.w.Once(t.Context())
		if err == nil {
			b.later(time.Minute)
			_, err = b.w.Once(t.Context())
		}
		if err != nil && !errors.Is(err, died) {
			t.Fatal(err)
		}
		b.start()
		b.once()
		b.later(time.Minute)
		b.once()
		if left := b.graph.Left(); len(left) != 0 {
			t.Errorf("point %d: left are %q", point, left)
		}
		if err == nil {
			if point < 8 {
				t.Fatalf("only %d points were found", point)
			}
			return
		}
	}
}

// TestNotCleaned: as long as what canaries left cannot be taken away, no more than three are planted; and it is when it can.
func TestNotCleaned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plants(canary.File, "Audit.SharePoint")
	k, works := b.options.Kinds[0], false
	clean := k.Clean
	k.Clean = func(ctx context.Context, marker string) error {
		if !works {
			return errors.New("the library is locked")
		}
		return clean(ctx, marker)
	}
	b.options.Kinds[0] = k
	b.start()
	for range 6 {
		b.once()
		b.later(time.Hour)
	}
	b.start() // and what is left is known to the next process
	b.once()
	if n := len(b.graph.Left()); n != 3 {
		t.Errorf("%d files are left: want 3", n)
	}
	if s := b.w.Status(); s[0].State != "failing" || s[0].LastError == "" {
		t.Errorf("status is %+v", s)
	}
	works = true
	b.later(time.Hour)
	b.once()
	if left := b.graph.Left(); len(left) > 1 {
		t.Errorf("left are %q", left)
	}
	b.later(time.Minute)
	b.once()
	if left := b.graph.Left(); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
	if s := b.w.Status(); s[0].State != "collecting" {
		t.Errorf("status is %+v", s)
	}
}

// TestSoon: what a canary has left is taken away soon, and not when the next one is due.
func TestSoon(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plants(canary.File, "Audit.SharePoint")
	wait, err := b.w.Once(t.Context())
	if err != nil || wait <= 0 || wait > time.Minute {
		t.Errorf("wait %v, %v", wait, err)
	}
	b.later(wait)
	if wait, err = b.w.Once(t.Context()); err != nil || wait < 10*time.Minute {
		t.Errorf("then wait %v, %v", wait, err)
	}
	if left := b.graph.Left(); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// TestWhetherDone: of an act that was refused nothing is looked for; of one without an answer what may be there is, for an hour.
func TestWhetherDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		sought bool
	}{
		"refused":    {&rest.Error{API: "graph", Op: "mail", Status: 403}, false},
		"no token":   {&rest.Error{API: "graph", Op: rest.OpToken, Status: 503}, false},
		"no answer":  {&rest.Error{API: "graph", Op: "mail"}, true},
		"broken":     {&rest.Error{API: "graph", Op: "mail", Status: 500}, true},
		"impossible": {errors.New("something else"), true},
	} {
		b := newBench(t)
		b.plants(canary.Mail, "messageTraces")
		sought := 0
		b.options.Kinds[0].Do = func(context.Context, string) (string, error) { return "", c.err }
		b.options.Kinds[0].Clean = func(context.Context, string) error { sought++; return canary.ErrNotThere }
		b.options.Every = 24 * time.Hour
		b.start()
		b.once()
		b.options.Kinds[0].Do = func(_ context.Context, marker string) (string, error) { return marker, nil }
		b.ahead += 59 * time.Minute
		b.start()
		b.want(b.once(), "planted")
		if (sought > 0) != c.sought {
			t.Errorf("%s: looked for %d times", name, sought)
		}
		sought = 0
		b.ahead += 2 * time.Minute
		b.once()
		if c.sought && sought != 2 || !c.sought && sought != 1 {
			t.Errorf("%s: looked for %d times after an hour", name, sought)
		}
		sought = 0
		b.ahead += time.Hour
		b.once()
		if sought != 1 {
			t.Errorf("%s: looked for %d times, of the one that was planted", name, sought)
		}
		b.ahead += 24 * time.Hour
		if acts := b.once(); !slices.ContainsFunc(acts, func(a act.Act) bool {
			return a.Reason == act.Cleaned && strings.Contains(a.Message, "was not found")
		}) {
			t.Errorf("%s: acts are %q", name, reasons(acts))
		}
	}
}

// TestAbandoned: what is left of a kind that the source does not have any more is told of, and forgotten.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plants(canary.File, "Audit.SharePoint")
	b.want(b.once(), "planted")
	name := b.graph.Left()[0]
	b.options.Kinds = []canary.Kind{b.signIn()}
	b.start()
	if !strings.Contains(b.log.String(), fmt.Sprintf("name=%s", strings.TrimSuffix(name, ".txt"))) {
		t.Errorf("the log does not name %s: %s", name, b.log.String())
	}
}
