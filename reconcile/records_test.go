// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/reconcile"
)

// hub is the stream that has the rows of CloudAppEvents.
const hub = "contoso-logs/tables"

// newHubBed is one of a tenant that streams CloudAppEvents.
func newHubBed(t testing.TB) *bed {
	b := newBed(t)
	for _, s := range []string{hub, reconcile.CloudAppEvents, "Audit.SharePoint", "Audit.General"} {
		b.collected[s] = true
	}
	return b
}

// office is what somebody does in a workload.
func office(workload, op string, n int, at time.Time) record {
	stream := map[string]string{"Exchange": "Audit.Exchange", "SharePoint": "Audit.SharePoint"}[workload]
	if stream == "" {
		stream = "Audit.General"
	}
	return record{"m365", stream, at, fmt.Sprintf(`{"Id":"%s","RecordType":6,"CreationTime":"%s","Operation":"%s","Workload":"%s","UserId":"ann"}`, guid(n), stamp(at), op, workload)}
}

// carried is the row of CloudAppEvents that carries a record.
func carried(r record) record {
	return record{"defender-hunting", hub, r.at.Add(300 * time.Millisecond), fmt.Sprintf(
		`{"time":"%[1]s.9Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"%[1]s.3Z","ActionType":"x","RawEventData":%[2]s}}`, stamp(r.at), r.raw)}
}

// both are a record and its row.
func both(r record) []record { return []record{r, carried(r)} }

// verdicts are what the report says of an operation, as "CloudAppEvents table 13:00 no part".
func (b *bed) verdicts(op string) (list []string) {
	b.Helper()
	r, err := b.r.Report(b.Context(), noon, noon.Add(24*time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	for _, h := range r.Hours {
		for _, c := range h.Channels {
			if h.Operation == op && c.Verdict != reconcile.Agree {
				list = append(list, fmt.Sprintf("%s %s %d %s", c.Channel, clock(h.Hour), c.Lacking, c.Verdict))
			}
		}
	}
	return list
}

func (b *bed) wantVerdicts(op string, want ...string) {
	b.Helper()
	if got := b.verdicts(op); strings.Join(got, ", ") != strings.Join(want, ", ") {
		b.Errorf("%s: %q, want %q", op, got, want)
	}
}

// F16, F17: acts of the unified audit log that its feed or CloudAppEvents lacks are counted, for each operation and hour. Of what the
// hub has never shown, or not all of, nothing is said, and a channel owes an operation only after an hour in which it had all of it.
func TestF17CloudAppEvents(t *testing.T) {
	t.Parallel()
	var list, late []record
	for n := range 60 {
		at := after(3 * n) // three hours
		file, mail := office("SharePoint", "FileDownloaded", 100+n, at), office("Exchange", "MailItemsAccessed", 200+n, at)
		if n == 30 { // of the second hour
			list, late = append(list, carried(file), mail), append(late, file, carried(mail))
		} else {
			list = append(append(list, both(file)...), both(mail)...)
		}
		list = append(list, office("PowerBI", "ViewReport", 300+n, at)) // which is not connected
		team := office("MicrosoftTeams", "MessageSent", 400+n, at)      // of some users
		if list = append(list, team); n%2 == 0 {
			list = append(list, carried(team))
		}
		flow := office("Flow", "CreateFlow", 500+n, at) // connected in the second hour
		if list = append(list, flow); n > 30 && n < 50 {
			list = append(list, carried(flow))
		}
		list = append(list, carried(office("Dynamics", "Read", 600+n, at))) // which the feed does not have
	}
	want := []string{
		"gap Audit.SharePoint unmatched SharePoint FileDownloaded 13:00–14:00", "gap contoso-logs/tables unmatched Exchange MailItemsAccessed 13:00–14:00",
	}
	for range 3 {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		b := newHubBed(t)
		b.now = after(2*60 + 2*60 + 20) // what is late of the second hour may still come: two hours, and the least wait
		b.take(list...)
		b.want()
		b.now = noon.Add(72 * time.Hour)
		b.drain()
		b.want(want...)
		b.wantVerdicts("SharePoint FileDownloaded", "unified audit log 13:00 1 unmatched")
		b.wantVerdicts("Exchange MailItemsAccessed", "CloudAppEvents table 13:00 1 unmatched")
		b.wantVerdicts("PowerBI ViewReport", "CloudAppEvents table 12:00 20 no part", "CloudAppEvents table 13:00 20 no part", "CloudAppEvents table 14:00 20 no part")
		b.wantVerdicts("Flow CreateFlow", "CloudAppEvents table 12:00 20 no part", "CloudAppEvents table 13:00 11 no part", "CloudAppEvents table 14:00 10 no part")
		b.wantVerdicts("Dynamics Read", "unified audit log 12:00 20 no part", "unified audit log 13:00 20 no part", "unified audit log 14:00 20 no part")
		b.take(late...)
		filled := append(slices.Clone(want), strings.ReplaceAll(want[0], "gap ", "filled "), strings.ReplaceAll(want[1], "gap ", "filled "))
		b.want(filled...)
		b.open() // the tables are lost: nothing is told twice
		b.drain()
		b.want(filled...)
	}
}

// What a channel owes is remembered for longer than the acts are.
func TestWhatIsOwedIsRemembered(t *testing.T) {
	t.Parallel()
	b := newHubBed(t)
	const day = 24 * 60
	b.take(both(office("Exchange", "New-InboxRule", 1, after(0)))...)
	b.now = noon.Add(20 * 24 * time.Hour)
	b.take(both(office("Exchange", "Set-Mailbox", 2, after(12*day)))...) // time goes on
	b.reopen()
	b.take(office("Exchange", "New-InboxRule", 3, after(12*day+60)))
	b.want("gap contoso-logs/tables unmatched Exchange New-InboxRule 03-15 13:00–03-15 14:00")
}

// Nothing is said of a hub that is not complete, or not collected any more.
func TestHubsThatCannotBeHeldToIt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bed){
		"no part":       func(b *bed) {},
		"cannot say":    func(b *bed) { b.holes[hub] = true },
		"unmatched":     func(b *bed) {},
		"not collected": func(b *bed) { b.collected[hub] = false },
	} {
		b := newHubBed(t)
		if name != "no part" {
			b.take(both(office("Exchange", "Send", 1, after(0)))...)
		}
		change(b)
		b.take(office("Exchange", "Send", 2, after(60)))
		b.wantVerdicts("Exchange Send", "CloudAppEvents table 13:00 1 "+name)
		if said := b.said(); (name == "unmatched") != (len(said) == 1) {
			t.Errorf("%s: said %s", name, said)
		}
	}
}

// A row is the record that it carries: a sign-in, a change of the directory, a mailbox that is throttled, a token in use.
func TestRowsOfOtherActs(t *testing.T) {
	t.Parallel()
	b := newHubBed(t)
	b.take(signIn("cem", 9, 9, after(1)), carried(logon("ann", 1, 1, after(0))), carried(read("ann", 1, 2, after(0), after(5))), carried(mailRead("dan", true, after(3))), carried(read("ben", 2, 3, after(10), after(20))))
	b.take(both(directory("unified", 1, after(1)))...)
	b.take(directory("graph", 1, after(1)), carried(directory("unified", 2, after(62))), directory("graph", 3, after(63)))
	b.want(
		"gap signIns unmatched UserLoggedIn 12:00–13:00", // ann's: the row shows it, and so must Graph
		"gap Audit.Exchange audit throttled dan 12:03–03-04 12:03",
		"gap signIns unmatched ben 12:10–13:00", "orphan signIns benoutlook 12:20",
		"gap directoryAudits unmatched Add member to group 13:00–14:00",            // of 2, which the row shows
		"gap Audit.AzureActiveDirectory unmatched Add member to group 13:00–14:00", // of both
	)
	b.wantVerdicts("UserLoggedIn", "unified audit log 12:00 1 no part", "Microsoft Graph 12:00 1 unmatched", "diagnostic setting 12:00 2 not collected")
}

// Audit records have a bound of their own, and what is forgotten of them is not said to be there.
func TestBoundOfRecords(t *testing.T) {
	t.Parallel()
	b := newHubBed(t)
	b.maxRecords = 50
	b.reopen()
	var list []record
	for n := range 100 {
		if list = append(list, both(office("Exchange", "Send", n, after(6*n)))...); n == 55 {
			list = list[:len(list)-1]
		}
	}
	for _, r := range list {
		b.append(r)
	}
	b.append(read("ben", 2, 3, after(0), after(0)))
	if err := b.r.ReadEach(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	b.now = after(60) // too early to say anything
	b.drain()
	b.now = noon.Add(72 * time.Hour)
	b.drain()
	b.want("gap signIns unmatched ben 12:00–13:00", "orphan signIns benoutlook 12:00")
	r, err := b.r.Report(t.Context(), noon, noon.Add(time.Hour))
	if _, kept := b.r.Kept(); err != nil || kept > 50 || kept < 10 || !r.Forgotten.IsZero() {
		t.Errorf("%d entries are kept, forgotten %v, %v", kept, r.Forgotten, err)
	}
	b.take(office("Exchange", "Send", 1000, after(6*99)))
	b.want("gap signIns unmatched ben 12:00–13:00", "orphan signIns benoutlook 12:00", "gap contoso-logs/tables unmatched Exchange Send 21:00–22:00")
}
