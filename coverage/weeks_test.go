// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// office is a company whose people work from Monday to Friday, in the open: operations of workloads, with as many records
// in ten minutes of a working hour as their rate says, by chance.
type office struct {
	town
	random  *rand.Rand
	holiday func(time.Time) bool
	// factor changes what an operation offers at a moment.
	factor func(workload, operation string, at time.Time) float64
	judged int // how often a workload or an operation was judged
}

var officeRates = []struct {
	workload, operation string
	rate                float64
	machine             bool // goes on at night
}{
	{"AzureActiveDirectory", "UserLoggedIn", 20, false},
	{"AzureActiveDirectory", "Update user.", 2, true},
	{"Exchange", "MailItemsAccessed", 30, false},
	{"Exchange", "Send", 13, false},
	{"Exchange", "New-InboxRule", 0.2, false},
	{"MicrosoftTeams", "MessageSent", 17, false},
	{"SharePoint", "FileAccessed", 25, false},
	{"SharePoint", "FileDownloaded", 12, false},
	{"SharePoint", "FileUploaded", 8, false},
}

func newOffice(t *testing.T) *office {
	w := newTown(t)
	return &office{
		town: *w, random: rand.New(rand.NewPCG(7, 11)), holiday: func(time.Time) bool { return false },
		factor: func(string, string, time.Time) float64 { return 1 },
	}
}

// busy is how much of a working hour's there is at a moment.
func (o *office) busy(at time.Time, machine bool) float64 {
	switch h := at.Hour(); {
	case machine:
		return 1
	case o.holiday(at), at.Weekday() == time.Saturday, at.Weekday() == time.Sunday:
		return 0.04
	case h < 6 || h >= 20:
		return 0.03
	case h < 8 || h >= 18:
		return 0.4
	}
	return 1
}

// weeks lets days pass in steps of ten minutes; listening, it judges every hour.
func (o *office) weeks(from, to float64, listen bool) (acts []act.Act) {
	o.t.Helper()
	for m := from; m < to; m += 10 {
		at := minute(m)
		for _, r := range officeRates {
			mean := r.rate * o.busy(at, r.machine) * o.factor(r.workload, r.operation, at)
			n := int(math.Max(0, math.Round(mean+math.Sqrt(mean)*o.random.NormFloat64())))
			if mean < 4 { // too few for the bell curve
				n = 0
				for range 20 {
					if o.random.Float64() < mean/20 {
						n++
					}
				}
			}
			if n > 0 {
				observe(o.d, batch(at, n, m*60-60, m*60, m*60), at, r.operation, r.workload)
			}
		}
		if !listen || int(m)%60 != 0 {
			continue
		}
		o.take(listed(m-60, m, m))
		o.now = at
		o.judged += len(officeRates) + 4
		acts = append(acts, o.listen()...)
	}
	if err := o.d.Save(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	return acts
}

// TestWeeks: two weeks teach what is usual. Two more, with weekends and a holiday, raise no alarm; an operation that is
// recorded no more is named within hours, and nothing else is; a workload is named and its operations are not; a slow
// decline is none of these.
func TestWeeks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	start := -17 * day // noon is a Saturday
	o.weeks(start, -2*day, false)
	o.holiday = func(at time.Time) bool { return at.YearDay() == minute(4*day).YearDay() } // a Wednesday
	if acts := o.weeks(-2*day, 12*day, true); len(acts) != 0 {
		t.Fatalf("alarms in two normal weeks: %s", spoken(acts))
	}
	t.Logf("0 false alarms in %d judgements of two weeks", o.judged)

	// Thursday at noon.
	o.factor = func(_, operation string, _ time.Time) float64 {
		if operation == "FileDownloaded" {
			return 0
		}
		return 1
	}
	acts := o.weeks(12*day, 12*day+6*60, true)
	if got := spoken(acts); got != `["silence SharePoint / FileDownloaded"]` {
		t.Fatalf("of an operation: %s", got)
	}
	if late := acts[0].At.Sub(minute(12 * day)); late > 3*time.Hour || !strings.Contains(acts[0].Message, "FileDownloaded") {
		t.Errorf("told after %v: %s", late, acts[0].Message)
	}
	o.factor = func(string, string, time.Time) float64 { return 1 }
	if got := spoken(o.weeks(12*day+6*60, 13*day, true)); got != `["cleared SharePoint / FileDownloaded"]` {
		t.Errorf("when it is heard again: %s", got)
	}
	o.factor = func(workload, _ string, _ time.Time) float64 {
		if workload == "SharePoint" {
			return 0
		}
		return 1
	}
	if got := spoken(o.weeks(13*day, 13*day+6*60, true)); got != `["silence SharePoint"]` {
		t.Errorf("of a workload: %s", got)
	}
}

// TestASlowDecline: less from day to day is no silence.
func TestASlowDecline(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.weeks(-17*day, -2*day, false)
	o.factor = func(workload, _ string, at time.Time) float64 {
		if workload != "SharePoint" {
			return 1
		}
		return math.Pow(0.93, at.Sub(minute(-2*day)).Hours()/24)
	}
	if acts := o.weeks(-2*day, 4*day, true); len(acts) != 0 {
		t.Errorf("alarms: %s", spoken(acts))
	}
}

// TestNothingAtAllIsHeard: a tenant that falls silent as a whole is no holiday.
func TestNothingAtAllIsHeard(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.weeks(-17*day, 2*day, false) // up to Monday noon
	o.weeks(2*day, 2*day+60, true)
	o.factor = func(string, string, time.Time) float64 { return 0 }
	var named []string
	for _, a := range o.weeks(2*day+60, 2*day+4*60, true) {
		named = append(named, a.Code)
	}
	slices.Sort(named)
	if !slices.Equal(named, []string{"AzureActiveDirectory", "Exchange", "MicrosoftTeams", "SharePoint"}) {
		t.Errorf("named are %q", named)
	}
}
