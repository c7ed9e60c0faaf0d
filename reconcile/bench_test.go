// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/reconcile"
)

// cpu returns the processor time that the process has taken.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed reads what the journal has, and reports what that took.
func timed(b *testing.B, bed *bed, how string, spent map[string]float64) {
	err := bed.j.Flush(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	begun := cpu(b)
	if how == "observe" {
		err = bed.r.Observe(b.Context())
	} else {
		err = bed.r.CatchUp(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	spent[how] = float64((cpu(b) - begun).Nanoseconds())
	b.StopTimer()
	b.ReportMetric(spent[how]/float64(b.N), "cpu-ns/record")
	if how != "observe" {
		b.ReportMetric(spent[how]/spent["observe"], "x-observe")
	}
}

// diagnosticSignIn is a sign-in of 1.3 KB in Azure Monitor's envelope.
func diagnosticSignIn(who string, session, tok int, at time.Time) record {
	return record{"entra-diagnostic", "hub/signins", at, fmt.Sprintf(`{"time":"%[1]sZ","resourceId":"/tenants/0873ee4d-0000-0000-0000-000000000000/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"NonInteractiveUserSignInLogs","tenantId":"0873ee4d-0000-0000-0000-000000000000","resultType":"0","resultSignature":"SUCCESS","durationMs":0,"callerIpAddress":"203.0.113.7","correlationId":"%[2]s","level":"4","properties":{"id":"%[2]s","createdDateTime":"%[1]sZ","userPrincipalName":"%[3]s","userId":"u","appId":"00000003-0000-0ff1-ce00-000000000000","ipAddress":"203.0.113.7","clientAppUsed":"Browser","conditionalAccessStatus":"notApplied","isInteractive":false,"riskDetail":"none","riskLevelAggregated":"none","riskLevelDuringSignIn":"none","riskState":"none","resourceId":"00000002-0000-0000-c000-000000000000","status":{"errorCode":0,"failureReason":"Other."},"deviceDetail":{"deviceId":"","displayName":"LAPTOP-7","operatingSystem":"Windows 10","browser":"Edge 120.0.0","isCompliant":true,"isManaged":true,"trustType":"Hybrid Azure AD joined"},"signInEventTypes":["nonInteractiveUser"],"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0","sessionId":"%[4]s","uniqueTokenIdentifier":"%[5]s"}}`,
		stamp(at), scattered(tok), who, scattered(1_000_000_000+session), scattered(2_000_000_000+tok))}
}

// scattered is a GUID of a number, as random as those of a provider are.
func scattered(n int) string {
	a := uint64(n) * 0x9E3779B97F4A7C15
	a ^= a >> 32
	c := a * 0xD6E8FEB86659FD93
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0xfff, uint16(c)&0xfff, c>>16)
}

// lag is how many acts later the unified audit log shows an act than the others do, in the benchmark.
const lag = 20_000

// BenchmarkFollow reads b.N records: of four one is a sign-in in a diagnostic setting, one the same in Microsoft Graph, one an
// earlier one in the unified audit log, and one mail that is read with the token of that. "observe" only reads the journal and what
// the records say; "follow" holds the channels against each other; "alone" does so for a tenant of which nothing else is
// collected. x-observe is the processor time by that of observe, from the same run.
func BenchmarkFollow(b *testing.B) {
	spent := map[string]float64{}
	for _, how := range []string{"observe", "follow", "alone"} {
		b.Run(how, func(b *testing.B) {
			bed := newBed(b)
			if how == "alone" {
				for s := range bed.collected {
					bed.collected[s] = false
				}
				bed.reopen()
			}
			byStream := map[string][]event.Record{}
			family := map[string]event.Family{}
			flush := func(s string) {
				bed.next++
				_, err := bed.j.Append(b.Context(), event.Origin{Tenant: tenant, Family: family[s], Stream: s, Name: "contoso", Run: fmt.Sprint(bed.next)}, byStream[s], nil)
				if err != nil {
					b.Fatal(err)
				}
				byStream[s] = nil
			}
			for n := range b.N {
				act := n / 4
				if n%4 >= 2 {
					act = max(0, act-lag)
				}
				at := noon.Add(time.Duration(act) * 50 * time.Millisecond)
				who, session := fmt.Sprintf("user%d@contoso.example", act/5%100_000), act/5
				var r record
				switch n % 4 {
				case 0:
					r = diagnosticSignIn(who, session, act, at)
				case 1:
					r = record{"entra-signin", "signIns", at, fmt.Sprintf(
						`{"id":"%s","createdDateTime":"%sZ","userId":"u","userPrincipalName":"%s","sessionId":"%s","uniqueTokenIdentifier":"%s","status":{"errorCode":0},"clientAppUsed":"Browser"}`,
						scattered(act), stamp(at), who, scattered(1_000_000_000+session), scattered(2_000_000_000+act))}
				case 2:
					r = record{"m365", "Audit.AzureActiveDirectory", at, fmt.Sprintf(
						`{"Id":"%s","RecordType":15,"CreationTime":"%s","Operation":"UserLoggedIn","UserId":"%s","DeviceProperties":[{"Name":"SessionId","Value":"%s"}]}`,
						scattered(act), stamp(at), who, scattered(1_000_000_000+session))}
				case 3:
					r = record{"m365", "Audit.Exchange", at.Add(time.Minute), fmt.Sprintf(
						`{"Id":"x","RecordType":2,"CreationTime":"%s","Operation":"MailRead","UserId":"%s","ClientIP":"192.0.2.7","AppAccessContext":{"AADSessionId":"%s","UniqueTokenId":"%s","ClientAppId":"outlook","IssuedAtTime":"%s"}}`,
						stamp(at.Add(time.Minute)), who, scattered(1_000_000_000+session), scattered(2_000_000_000+act), stamp(at))}
				}
				family[r.stream] = r.family
				byStream[r.stream] = append(byStream[r.stream], event.Record{
					Raw: []byte(r.raw), ID: fmt.Appendf(nil, "r%d", n), Time: r.at.UnixNano(), Received: bed.now.UnixNano(), Ordinal: uint64(len(byStream[r.stream])),
				})
				if len(byStream[r.stream]) == 1000 {
					flush(r.stream)
				}
			}
			for s, list := range byStream {
				if len(list) > 0 {
					flush(s)
				}
			}
			timed(b, bed, how, spent)
			if how == "follow" && b.N > 4000 {
				if said := bed.said(); len(said) > 0 {
					b.Errorf("%d things are said where all channels agree: %s", len(said), said[0])
				}
			}
		})
	}
}

// BenchmarkRecords reads b.N records: each act is in the unified audit log and some thousands later in CloudAppEvents. "alone" is where no hub is
// collected.
func BenchmarkRecords(b *testing.B) {
	spent := map[string]float64{}
	for _, how := range []string{"observe", "follow", "alone"} {
		b.Run(how, func(b *testing.B) {
			bed := newHubBed(b)
			if how == "alone" {
				bed.collected[reconcile.CloudAppEvents] = false
			}
			var feed, table []event.Record
			flush := func(r record, list []event.Record) []event.Record {
				bed.next++
				_, err := bed.j.Append(b.Context(), event.Origin{Tenant: tenant, Family: r.family, Stream: r.stream, Name: "contoso", Run: fmt.Sprint(bed.next)}, list, nil)
				if err != nil {
					b.Fatal(err)
				}
				return nil
			}
			ops := [...]string{"MailItemsAccessed", "Send", "Create", "Update", "MoveToDeletedItems", "SoftDelete", "HardDelete", "New-InboxRule"}
			act := func(n int) record {
				r := office("Exchange", ops[n%len(ops)], 0, noon.Add(time.Duration(n)*50*time.Millisecond))
				r.raw = strings.Replace(r.raw, guid(0), scattered(n), 1)
				return r
			}
			for n := range b.N {
				list, r := &feed, act(n/2)
				if n%2 == 1 {
					list, r = &table, carried(act(max(0, n/2-lag)))
				}
				if *list = append(*list, event.Record{
					Raw: []byte(r.raw), ID: fmt.Appendf(nil, "r%d", n), Time: r.at.UnixNano(), Received: bed.now.UnixNano(), Ordinal: uint64(len(*list)),
				}); len(*list) == 1000 || n >= b.N-2 {
					*list = flush(r, *list)
				}
			}
			timed(b, bed, how, spent)
		})
	}
}
