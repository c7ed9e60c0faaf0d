// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/kafka"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// cpu returns the processor time that the process has taken.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// signIn is a record of 1.4 KB in Azure Monitor's envelope.
func signIn(n int) string {
	return fmt.Sprintf(`{"time":"2026-11-21T10:%02d:%02d.1234567Z","resourceId":"/tenants/0873ee4d-0000-0000-0000-000000000000/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"NonInteractiveUserSignInLogs","tenantId":"0873ee4d-0000-0000-0000-000000000000","resultType":"0","resultSignature":"SUCCESS","durationMs":0,"callerIpAddress":"203.0.113.%d","correlationId":"5a1f0000-0000-4000-8000-%012x","level":"4","id":"e5c90000-0000-4000-8000-%012x","at":%d,"properties":{"id":"e5c90000-0000-4000-8000-%012x","createdDateTime":"2026-11-21T10:%02d:%02dZ","userPrincipalName":"user%d@contoso.example","userId":"77aa0000-0000-4000-8000-%012x","appId":"00000003-0000-0ff1-ce00-000000000000","ipAddress":"203.0.113.%d","clientAppUsed":"Browser","conditionalAccessStatus":"notApplied","isInteractive":false,"riskDetail":"none","riskLevelAggregated":"none","riskLevelDuringSignIn":"none","riskState":"none","resourceId":"00000002-0000-0000-c000-000000000000","status":{"errorCode":0,"failureReason":"Other."},"deviceDetail":{"deviceId":"","displayName":"LAPTOP-%06x","operatingSystem":"Windows 10","browser":"Edge 120.0.0","isCompliant":true,"isManaged":true,"trustType":"Hybrid Azure AD joined"},"signInEventTypes":["nonInteractiveUser"],"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0","uniqueTokenIdentifier":"a0b10000-0000-4000-8000-%012x"}}`,
		n/60%60, n%60, n%250, n, n, int64(1.7e18)+int64(n), n, n/60%60, n%60, n%100_000, n%100_000, n%250, n%100_000, n)
}

// BenchmarkTake takes messages of 20 records each, as they were fetched, until the journal has their records and acts, and the
// same records by handing them to the journal as they are, identified already. x-append is the processor time of the former by
// that of the latter, from the same run: what the collector adds to what the journal must do anyway.
func BenchmarkTake(b *testing.B) {
	const partitions, perMessage, perItem = 4, 20, 700
	spent := map[string]float64{}
	for _, how := range []string{"append", "take"} {
		b.Run(how, func(b *testing.B) {
			bed := newBench(b, 1)
			items := make([][][]*kgo.Record, partitions)
			plain := make([][][]event.Record, partitions)
			for n, offset := 0, [partitions]int64{}; n < b.N; {
				p := n / perItem % partitions
				var messages []*kgo.Record
				var records []event.Record
				for len(records) < perItem && n < b.N {
					text := []byte(`{"records": [`)
					for k := 0; k < perMessage && len(records) < perItem && n < b.N; k++ {
						if k > 0 {
							text = append(text, ',')
						}
						start := len(text)
						text = append(text, signIn(n)...)
						raw := text[start:len(text):len(text)]
						if how == "append" {
							raw = []byte(string(raw)) // text may move
						}
						records = append(records, event.Record{Raw: raw, ID: fmt.Appendf(nil, "e5c90000-0000-4000-8000-%012x", n), Time: int64(1.7e18) + int64(n), Ordinal: uint64(len(records)), Offered: 1.7e18, Received: 1.7e18})
						n++
					}
					messages = append(messages, &kgo.Record{Topic: topic, Partition: int32(p), Offset: offset[p], Value: append(text, "]}"...), Timestamp: time.UnixMilli(1.7e12)})
					offset[p]++
				}
				if how == "append" {
					plain[p] = append(plain[p], records)
				} else {
					items[p] = append(items[p], messages)
				}
			}
			c, err := kafka.New(kafka.Options{
				Name: "hubs", Tenant: tenant, Topics: bed.opts.Topics, Classify: classifier, Dial: bed.opts.Dial, Journal: bed.j, DB: bed.db, Acts: act.NewWriter(bed.j, "hubs", tenant), Log: quiet,
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			begun := cpu(b)
			var all sync.WaitGroup
			for p := range partitions {
				all.Go(func() {
					if how == "take" {
						if err := c.Feed(b.Context(), int32(p), items[p]); err != nil {
							b.Error(err)
						}
						return
					}
					var last *journal.Commit
					var err error
					for i, records := range plain[p] {
						o := event.Origin{Tenant: tenant, Family: "entra-diagnostic", Stream: stream, Name: fmt.Sprint(p, "/", i), Run: "1"}
						if last, err = bed.j.Append(b.Context(), o, records, nil); err != nil {
							b.Error(err)
							return
						}
					}
					if last != nil {
						if _, err := last.Wait(b.Context()); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			spent[how] = (cpu(b) - begun).Seconds() / float64(b.N)
			b.StopTimer()
			if stored := bed.j.Stats().Stored; stored < uint64(b.N) {
				b.Fatalf("%d records are stored of %d", stored, b.N)
			}
			b.ReportMetric(1/spent[how], "records/cpu-s")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			if how == "take" {
				b.ReportMetric(spent["take"]/spent["append"], "x-append")
			}
		})
	}
}
