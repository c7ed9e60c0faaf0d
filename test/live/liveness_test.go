// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// TestF09Throttling: requests are refused, and every refusal asks for a second of
// quiet. The product keeps quiet, spends what is left, and the head does not wait for
// back-fill. In the long form a neighbor takes 60% of the tenant's requests.
func TestF09Throttling(t *testing.T) {
	t.Parallel()
	thorough(t)
	// It takes real time to spend the bucket that a minute's requests are in.
	faults, quota, history := "af429=0.03,retry-after=1s", 100_000, 3*time.Hour
	if long() {
		faults, quota, history = "noisy=0.6,retry-after=1s", 900, 12*time.Hour
	}
	w := newWorld(t, setting{
		sim: sim.Config{
			Faults: faults, Quota: quota, History: history,
			Company: company.Config{Seed: 1, People: 10, PerDay: 2000, SlotLength: 2 * time.Minute},
		},
		source: func(s *config.Source) {
			s.RequestsPerMinute, s.Streams = 60_000, []string{"Audit.Exchange"} // what is really left has to be found out
		},
		collect: func(c *collect.Options) { c.Poll, c.Sweep = time.Second, 2*time.Second },
	})
	w.start()
	// The quota's bucket is full at first: what comes after it has to be waited for.
	w.until("throttled", func() (bool, string) {
		r := w.sim.Requests()
		return r.Refused["blob AF429"]+r.Refused["content AF429"] > 0, fmt.Sprint(r.Refused)
	})
	w.jump(10 * time.Minute)
	w.headReached()
	w.quiet()
	r := w.sim.Requests()
	asked, refused := int64(0), int64(0)
	for _, n := range r.Operations {
		asked += n
	}
	for op, n := range r.Refused {
		if strings.HasSuffix(op, " AF429") {
			refused += n
		}
	}
	t.Logf("%d requests, %d refused, %d in the time of quiet", asked, refused, r.Early)
	// Whoever is on the way when the first refusal comes is refused too: no more
	// than fetchers and loops there are.
	const abreast = 8 + 3 + 1
	if episodes := int64(len(w.door.pauses())); r.Early > abreast*episodes {
		t.Errorf("%d requests came while quiet was asked for, %d times", r.Early, episodes)
	}
	if refused*5 > asked {
		t.Errorf("%d of %d requests were refused: a storm", refused, asked)
	}
	if r.NoPublisher > 0 {
		t.Errorf("%d requests were without PublisherIdentifier", r.NoPublisher)
	}
	if refused == 0 || w.streams()[0].Throttled == 0 {
		t.Errorf("%d requests were refused, and the product says that it waited %v", refused, w.streams()[0].Throttled)
	}
	w.compareBut(func(e *sim.Entry) bool { return e.Stream != "Audit.Exchange" })
}

// TestF10Credentials: tokens that end in the middle, are revoked, answers of 401
// for good tokens; a secret that is replaced at the provider first and in its file
// a while later. Nobody restarts anything.
func TestF10Credentials(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{Faults: "token-expiry=8m,401=0.1"}})
	w.start()
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	w.fault("revoke-tokens")
	w.pass(10*time.Minute, 10*time.Minute)

	w.fault("secret-rotation")
	_, _, secret := w.sim.Credentials()
	w.jump(10 * time.Minute) // the token has ended
	w.until("it says that the secret is refused", func() (bool, string) {
		for _, s := range w.streams() {
			if strings.Contains(s.LastError, "7000222") {
				return true, ""
			}
		}
		return false, fmt.Sprint(w.streams())
	})
	w.writeSecret(filepath.Join(filepath.Dir(w.dir), "contoso.secret"), secret)
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	w.allComplete()
	o := w.compare()
	some(t, "report that the credential is refused", o.of(act.Failed, func(a *act.Act) bool { return strings.Contains(a.Message, "7000222") }))
}

func (w *world) fault(list string) {
	w.Helper()
	if err := w.sim.AddFaults(list); err != nil {
		w.Fatal(err)
	}
}

// TestF10Answers: pages of HTML with status 200, NUL bytes, connections that end
// before the answer or say nothing more in the middle of it, 5xx, slow bodies.
func TestF10Answers(t *testing.T) {
	t.Parallel()
	faults := []string{"html-200", "nul-bytes", "drop", "hang", "5xx", "slow", "truncate"}
	w := newWorld(t, setting{
		sim:    sim.Config{Subscribed: true, Faults: "html-200=0.1,nul-bytes=0.1,drop=0.1,hang=0.02:10m,5xx=0.1,slow=4MB:0.1,truncate=0.1"},
		client: func(s *rest.Shared) { s.Limits.Stall = 300 * time.Millisecond },
	})
	w.start()
	w.quiet()
	w.pass(30*time.Minute, 10*time.Minute)
	w.allComplete()
	struck := w.sim.Requests().Struck
	for _, f := range faults {
		if struck[f] == 0 {
			t.Errorf("%s never struck", f)
		}
	}
	w.compare()
}

// refuser answers the next requests of each endpoint with the codes that it has
// for it, one after the other.
type refuser struct {
	mu    sync.Mutex
	codes map[string][]refusal // by endpoint
	told  map[string]int
	asked map[string]int
}

type refusal struct {
	status int
	code   string
}

// errorTable is section 7 of the contract, with a code that no table has. What is
// left out: AF20024, which says that all is well, and AF20051, which says that
// the content is gone for good and has a test of its own.
var errorTable = []refusal{
	{403, "AF10001"},
	{400, "AF20001"},
	{400, "AF20002"},
	{400, "AF20003"},
	{400, "AF20010"},
	{400, "AF20011"},
	{400, "AF20012"},
	{400, "AF20013"},
	{400, "AF20020"},
	{400, "AF20021"},
	{400, "AF20022"},
	{400, "AF20023"},
	{400, "AF20030"},
	{400, "AF20031"},
	{400, "AF20050"},
	{400, "AF20052"},
	{400, "AF20053"},
	{400, "AF20054"},
	{400, "AF20055"},
	{403, "AF429"},
	{429, "AF429"},
	{500, "AF50000"},
	{500, "AF50005"},
	{503, "AF50006"},
	{401, ""},
	{408, ""},
	{400, "AF98765"},
	{418, "teapot"},
}

func endpoint(r *http.Request) string {
	switch {
	case strings.HasSuffix(r.URL.Path, "/subscriptions/list"):
		return "list"
	case strings.HasSuffix(r.URL.Path, "/subscriptions/start"):
		return "start"
	case strings.HasSuffix(r.URL.Path, "/subscriptions/content"):
		return "content"
	case isBlob(r):
		return "blob"
	}
	return ""
}

func (f *refuser) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, ok := f.next(endpoint(r)); ok {
			w.Header().Set("Content-Type", "application/json")
			w.Header()["Date"] = nil // it is not this machine's
			w.WriteHeader(x.status)
			fmt.Fprintf(w, `{"error":{"code":%q,"message":"said by the test"}}`, x.code)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (f *refuser) next(endpoint string) (refusal, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.codes[endpoint]
	// Every other request passes: where everything fails, the product slows down.
	if f.asked[endpoint]++; len(list) == 0 || f.asked[endpoint]%2 == 0 {
		return refusal{}, false
	}
	f.codes[endpoint] = list[1:]
	f.told[endpoint]++
	return list[0], true
}

func (f *refuser) left() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, list := range f.codes {
		n += len(list)
	}
	return n
}

// TestF11EveryError: every code of the contract's table and one that is in none,
// on every endpoint. None is an event, none ends anything, and when they are over
// all is there.
func TestF11EveryError(t *testing.T) {
	t.Parallel()
	thorough(t)
	calm := slices.DeleteFunc(slices.Clone(errorTable), func(r refusal) bool { return r.code == "AF429" })
	f := &refuser{told: map[string]int{}, asked: map[string]int{}, codes: map[string][]refusal{
		"list": calm, "content": calm, "blob": calm, // AF429 is a pause, and TestF09
		// A start that was refused is asked for again a quarter of an hour later.
		"start": {{500, "AF50000"}, {400, "AF20021"}, {400, "AF98765"}, {403, "AF10001"}},
	}}
	w := newWorld(t, setting{between: f.between})
	w.start()
	jumped := time.Now()
	w.until("every code was said", func() (bool, string) {
		if f.left() > 0 && time.Since(jumped) > 100*time.Millisecond {
			w.jump(time.Minute)
			jumped = time.Now()
		}
		return f.left() == 0, fmt.Sprint(f.told)
	})
	w.jump(20 * time.Minute)
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	w.allComplete()
	w.compare()
}

// TestF11Expired: the provider says of a blob that it has expired. That is a gap for
// good, of that blob and nothing else.
func TestF11Expired(t *testing.T) {
	t.Parallel()
	thorough(t)
	var gone string
	var mu sync.Mutex
	w := newWorld(t, setting{between: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			if isBlob(r) && gone == "" {
				gone = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
			}
			hit := isBlob(r) && strings.HasSuffix(r.URL.Path, gone)
			mu.Unlock()
			if hit {
				w.Header()["Date"] = nil
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error":{"code":"AF20051","message":"Content requested with the key has already expired."}}`)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	w.start()
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	r := w.settledGaps()
	if len(r.Gaps) != 1 || r.Gaps[0].Blob != gone || !r.Gaps[0].Permanent || r.Gaps[0].Reason != act.Expired {
		t.Errorf("gaps: %+v, and only %s is gone", r.Gaps, gone)
	}
	w.compareBut(func(e *sim.Entry) bool { return e.ContentID == gone })
}

// TestF11Disabled: an administrator switches a subscription off. That is an alarm, it
// is started again, and what the provider has lost in between is a gap.
func TestF11Disabled(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{Company: company.Config{Seed: 1, People: 10, PerDay: 400, SlotLength: time.Minute}}})
	w.start()
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	off := w.sim.Now()
	w.fault("disable=General")
	w.pass(30*time.Minute, 10*time.Minute)
	back := w.sim.Now()
	w.pass(30*time.Minute, 10*time.Minute)
	r := w.settledGaps()
	for _, g := range r.Gaps {
		if g.Stream != "Audit.General" || g.Reason != act.Disabled || g.From.After(off) || g.From.Before(off.Add(-15*time.Minute)) || g.To.After(back) {
			t.Errorf("a gap of something else than Audit.General from %v: %+v", off, g)
		}
	}
	some(t, "gap", r.Gaps)
	o := w.compare() // the ledger knows that nobody can have what was lost
	some(t, "alarm", o.of(act.Alarm, func(a *act.Act) bool { return a.Stream == "Audit.General" && a.Reason == act.Disabled }))
}

// TestF12Silence: everything looks well, and SharePoint is not offered any more. The
// alarm names it, and nothing else.
func TestF12Silence(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{listen: 50 * time.Millisecond, sim: sim.Config{
		Faults: "silent=SharePoint@30m", History: 30 * time.Hour,
		Company: company.Config{Seed: 1, People: 50, Rate: 0.1, SlotLength: 5 * time.Minute},
	}})
	w.start()
	w.quiet()
	begun := w.sim.Now()
	alarms := func() []coverage.Alarm { return w.peek().Alarms }
	heard := false
	for range 16 {
		w.pass(30*time.Minute, 30*time.Minute)
		if heard = len(alarms()) > 0; heard {
			break
		}
	}
	w.until("an alarm", func() (bool, string) { return len(alarms()) > 0, "there is none" })
	for _, a := range alarms() {
		if a.Stream != "Audit.SharePoint" || a.Reason != act.Silence {
			t.Errorf("an alarm about something else: %+v", a)
		}
	}
	t.Logf("alarmed %v after the silence began: %+v", w.sim.Now().Sub(begun)-30*time.Minute, alarms())
	w.allComplete() // that is what makes it dangerous
	w.compare()
}

// TestF13Memory: a back-fill and a listing of more blobs than anybody fetches, in
// the memory that the product promises to get along with. The long form lists 120,000
// blobs.
func TestF13Memory(t *testing.T) {
	thorough(t)
	history := 24 * time.Hour
	if long() {
		history = 7 * 24 * time.Hour
	}
	held := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isBlob(r) {
				w.Header()["Date"] = nil
				w.WriteHeader(http.StatusServiceUnavailable) // so the backlog can only grow
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	w := newWorld(t, setting{
		sim: sim.Config{
			History: history, PageSize: 1000,
			Company: company.Config{Seed: 1, People: 1000, Rate: 10, SlotLength: 5 * time.Second},
		},
		source:  func(s *config.Source) { s.Streams = []string{"Audit.SharePoint"} },
		between: held, week: true, slow: true,
	})
	w.start()
	var peak uint64
	waiting := 0
	w.until("all is listed", func() (bool, string) {
		peak = max(peak, heap())
		list := w.streams()
		if len(list) == 0 {
			return false, "no stream"
		}
		s := list[0]
		waiting = s.Head + s.Backfill + s.Retry + s.Quarantined
		return s.Unlisted == 0 && !s.Swept.IsZero(), fmt.Sprintf("%+v", s)
	})
	slots := int(history / (5 * time.Second))
	if waiting < slots*9/10 {
		t.Errorf("%d blobs wait, and nearly %d were offered", waiting, slots)
	}
	const limit = 512 << 20
	if peak > limit {
		t.Errorf("%d MiB of heap with %d blobs listed", peak>>20, waiting)
	}
	t.Logf("%d blobs wait; the heap was %d MiB at most, the simulator's with it", waiting, peak>>20)
	if complete := states(w.peek(), "Audit.SharePoint")[coverage.Complete]; complete > slots/600 {
		t.Errorf("%d intervals are complete without one blob fetched", complete)
	}
	w.stop()
	w.verify()
}

// heap is what lives in this process, and what is not collected yet.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
