// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/store"
)

// hours is an audit log of which an hour holds n records, made as they are asked for.
type hours struct {
	*log
	n    int
	peak uint64 // of the heap
}

const hourPage = 1000

func (h *hours) name(i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", i*2654435761, i) }

func (h *hours) StartAuditQuery(context.Context, budget.Priority, string, string, time.Time, time.Time) (*provider.AuditQuery, error) {
	return &provider.AuditQuery{ID: "all", Status: "succeeded"}, nil
}

func (h *hours) AuditRecords(_ context.Context, _ budget.Priority, _, next string) (*provider.Page, error) {
	from, _ := strconv.Atoi(next)
	page := &provider.Page{}
	for i := from; i < min(from+hourPage, h.n); i++ {
		page.Records = append(page.Records, fmt.Appendf(nil, `{"id":%q,"auditData":{"Id":%q,"Operation":"FileAccessed","Workload":"SharePoint","RecordType":6}}`, h.name(i), h.name(i)))
	}
	if from+hourPage < h.n {
		page.Next = strconv.Itoa(from + hourPage)
	}
	if from/hourPage%16 == 0 {
		h.look()
	}
	return page, nil
}

func (h *hours) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.peak = max(h.peak, m.HeapAlloc)
}

// BenchmarkHour compares an hour of a large company. The heap does not grow with it.
func BenchmarkHour(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000, 12_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			db, err := store.Open(b.Context(), filepath.Join(dir, "control.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			h := &hours{log: newLog(), n: n}
			o := auditquery.CheckOptions{
				Tenant: tenant, API: h, DB: db, Dir: dir, Identify: func([]byte) ([]byte, int64) { return nil, first.UnixNano() },
				Feed: auditquery.Feed{Records: func(_ context.Context, _, _ time.Time, yield func(id, operation string) error) error {
					for i := range n {
						if err := yield(h.name(i), "FileAccessed"); err != nil {
							return err
						}
						if i%hourPage == 0 && i/hourPage%16 == 0 {
							h.look()
						}
					}
					return nil
				}},
			}
			runtime.GC()
			for b.Loop() {
				counts, err := auditquery.CompareHour(b.Context(), o, first, first.Add(time.Hour))
				if err != nil {
					b.Fatal(err)
				}
				if c := counts["FileAccessed"]; c.Feed != int64(n) || c.Query != int64(n) || c.Unshown != int64(n) {
					b.Fatalf("%+v", c)
				}
			}
			b.ReportMetric(float64(h.peak)/(1<<20), "peak-MiB")
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
