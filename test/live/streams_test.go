// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// TestManyStreams: a stream on which nothing happens costs little memory and few goroutines, however many tenants one process
// collects. Its waits are those of the product in service, and its tenants are one simulated company by many names.
//
//	DAYBREAK_STREAMS=10000 go test -run TestManyStreams -timeout 30m -v ./test/live
//
// measures that many, and what they take of the processor in a minute, the simulator's part included.
func TestManyStreams(t *testing.T) {
	thorough(t)
	streams, span := 250, time.Second
	if s := os.Getenv("DAYBREAK_STREAMS"); s != "" {
		var err error
		if streams, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
		span = time.Minute
	}
	s, err := sim.New(sim.Config{Start: tuesday, Company: company.Config{Seed: 1, People: 10, Rate: 1e-9}, History: time.Hour, Quota: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var requests atomic.Int64
	w := &world{
		TB: t, sim: s, door: &door{next: s.Handler()}, url: "http://127.0.0.1:1", dir: filepath.Join(t.TempDir(), "data"), log: newLogbook(),
		set: setting{
			source: func(c *config.Source) { *c = defaults(*c) },
			collect: func(c *collect.Options) {
				c.Poll, c.Sweep, c.Idle, c.Retry, c.Check, c.Stall = 0, 0, 0, 0, 0, 0
				c.Retention = 2 * time.Hour // back-fill is another matter
			},
		},
	}
	home := w.source("home")
	tenants := streams / len(home.Streams)
	w.set.client = func(s *rest.Shared) {
		s.Transport = inProcess{http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			tenant, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1.0/"), "/"), "/")
			r.URL.Path = strings.ReplaceAll(r.URL.Path, tenant, home.Tenant)
			r.RequestURI = r.URL.RequestURI()
			w.door.ServeHTTP(rw, r)
		})}
	}
	c := config.Default()
	for i := range tenants {
		one := home
		one.Name, one.Tenant = fmt.Sprintf("tenant-%d", i), fmt.Sprintf("%08x-0000-4000-8000-000000000000", i+1)
		one.Publisher = one.Tenant
		c.Sources = append(c.Sources, one)
	}
	w.node, err = node.Open(t.Context(), node.Options{Dir: w.dir, Role: "serve", Config: c, Log: slog.New(w.log), Adjust: node.Adjust{Collector: w.collector, Client: w.client, Reconcile: silent}})
	if err != nil {
		t.Fatal(err)
	}
	w.unwatch = func() {}
	defer w.kill()
	before, goroutines := held(), runtime.NumGoroutine()
	began := time.Now()
	w.node.Collect(t.Context())
	w.within(20*time.Minute, "every stream is listed", func() (bool, string) {
		listed, all := 0, w.streams()
		for i := range all {
			if !all[i].Listed.IsZero() && all[i].Unlisted == 0 {
				listed++
			}
		}
		return listed == tenants*len(home.Streams), fmt.Sprintf("%d of %d", listed, streams)
	})
	memory, routines := held()-before, float64(runtime.NumGoroutine()-goroutines)/float64(streams)
	cpu, asked, stored, at := processorTime(t), requests.Load(), w.node.DetectStats().Records, time.Now()
	time.Sleep(span)
	passed := time.Since(at).Seconds()
	cpu = processorTime(t) - cpu
	t.Logf("%d streams of %d tenants, listed in %.0f s: %.1f KiB of memory and %.1f goroutines each; %.0f requests/s, %.2f acts/s, %.1f %% of a core",
		streams, tenants, at.Sub(began).Seconds(), memory/float64(streams)/1024, routines, float64(requests.Load()-asked)/passed, float64(w.node.DetectStats().Records-stored)/passed, 100*cpu.Seconds()/passed)
	if most := float64(32<<20 + streams*112<<10); memory > most || routines > 8+1000/float64(streams) {
		t.Errorf("%d idle streams take %.0f MiB, more than %.0f, and %.1f goroutines each", streams, memory/(1<<20), most/(1<<20), routines)
	}
	w.stop()
}

func held() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
