// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package service_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// tuesday is noon in Rotterdam, where most of the company is.
var tuesday = time.Date(2026, 3, 3, 11, 0, 0, 0, time.UTC)

func newFeed(t *testing.T, cfg service.Config) *service.Feed {
	t.Helper()
	c, err := company.New(company.Config{Seed: 3, People: 200})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Company, cfg.Begin, cfg.Seed = c, tuesday.Add(-30*24*time.Hour), 5
	return service.NewFeed(cfg)
}

// acts are those of a stretch, with the first thing that each draws.
func acts(f *service.Feed, log uint64, from, to time.Time) (list []string) {
	f.Happened(log, from, to, func(a *service.Act) bool {
		list = append(list, a.At.Format(time.RFC3339Nano)+" "+a.ID.String()+" "+a.Address().String())
		return true
	})
	return list
}

// TestHappenedIsAFunction: what happened is the same however it is asked for, each at its own time, and differs by log.
func TestHappenedIsAFunction(t *testing.T) {
	f := newFeed(t, service.Config{})
	whole := acts(f, 1, tuesday, tuesday.Add(time.Hour))
	var parts []string
	for at := tuesday; at.Before(tuesday.Add(time.Hour)); at = at.Add(7*time.Minute + 13*time.Millisecond) {
		end := at.Add(7*time.Minute + 13*time.Millisecond)
		if end.After(tuesday.Add(time.Hour)) {
			end = tuesday.Add(time.Hour)
		}
		parts = append(parts, acts(f, 1, at, end)...)
	}
	if diff := cmp.Diff(whole, parts); diff != "" || len(whole) < 100 {
		t.Errorf("%d acts; in parts they differ: %s", len(whole), diff)
	}
	if cmp.Equal(whole, acts(f, 2, tuesday, tuesday.Add(time.Hour))) {
		t.Error("two logs say the same")
	}
	if n := len(acts(f, 1, tuesday.Add(-40*24*time.Hour), tuesday.Add(-31*24*time.Hour))); n != 0 {
		t.Errorf("%d acts from before the beginning", n)
	}
}

// TestPeopleSleep: at night and on Sundays little happens, and machines go on.
func TestPeopleSleep(t *testing.T) {
	f := newFeed(t, service.Config{})
	count := func(from time.Time) (people, machines int) {
		f.Happened(1, from, from.Add(2*time.Hour), func(a *service.Act) bool {
			if a.Who < 0 {
				machines++
			} else {
				people++
			}
			return true
		})
		return people, machines
	}
	day, _ := count(tuesday)
	sunday, machines := count(tuesday.Add(5 * 24 * time.Hour))
	if sunday*5 > day || machines == 0 {
		t.Errorf("%d acts of people on a day of work, %d on Sunday with %d of machines", day, sunday, machines)
	}
}

func TestLateness(t *testing.T) {
	f := newFeed(t, service.Config{Late: 0.25, LateBy: time.Hour})
	all, shown, soon := 0, 0, 0
	f.Happened(1, tuesday, tuesday.Add(time.Hour), func(a *service.Act) bool {
		all++
		if f.Visible(a, a.At.Add(time.Minute)) {
			shown++
		}
		if f.Visible(a, a.At.Add(5*time.Second)) {
			soon++
		}
		if !f.Visible(a, a.At.Add(time.Hour)) {
			t.Errorf("%v is never shown", a.At)
		}
		return true
	})
	if late := all - shown; late < all/8 || late > all/2 || soon > 0 {
		t.Errorf("%d of %d are late, %d are shown at once", late, all, soon)
	}
}
