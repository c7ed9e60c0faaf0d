// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// BenchmarkBlobs reads blobs over HTTP on loopback; the client's share of the
// work is in the figure.
func BenchmarkBlobs(b *testing.B) {
	s, err := m365.New(m365.Config{
		Seed: 1, Start: noon, Paused: true, History: time.Hour, Quota: 1 << 30, Subscribed: true,
		Company: company.Config{People: 100_000, Rate: 25_000},
	})
	if err != nil {
		b.Fatal(err)
	}
	r := serve(b, s)
	r.login()
	list := r.listing("Audit.Exchange", noon.Add(-2*time.Minute), noon)
	if len(list) < 100 {
		b.Fatalf("only %d blobs", len(list))
	}
	var bytes, records int64
	for i := 0; b.Loop(); i++ {
		req, _ := http.NewRequest("GET", list[i%len(list)].ContentURI, nil)
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Accept-Encoding", "identity")
		resp, err := r.client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp.Status, err)
		}
		bytes += n
		records += 1000
	}
	b.SetBytes(bytes / int64(b.N))
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkListing lists a day: the cost is that of the page, whatever the day
// holds.
func BenchmarkListing(b *testing.B) {
	for _, people := range []int{10, 100_000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			s, err := m365.New(m365.Config{
				Seed: 1, Start: noon, Paused: true, Quota: 1 << 30, Subscribed: true, Company: company.Config{People: people},
			})
			if err != nil {
				b.Fatal(err)
			}
			r := serve(b, s)
			r.login()
			address := r.root() + "/subscriptions/content?contentType=DLP.All&startTime=2026-03-02T12:00:00&endTime=2026-03-03T12:00:00"
			for b.Loop() {
				if got := r.must("GET", address, ""); got.status != 200 {
					b.Fatal(got.status, string(got.body))
				}
			}
		})
	}
}

// BenchmarkLedger names records of a company in a storm.
func BenchmarkLedger(b *testing.B) {
	for _, faults := range []string{"", "all"} {
		b.Run("faults="+faults, func(b *testing.B) {
			s, err := m365.New(m365.Config{
				Seed: 1, Start: noon, Paused: true, History: time.Hour, Subscribed: true, Faults: faults,
				Company: company.Config{People: 100_000, Rate: 5_000},
			})
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				for range s.Ledger(noon.Add(-20*time.Second), noon, noon) {
					n++
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
