// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func spreadRule(least, most float64, timespan time.Duration) *sigma.Correlation {
	c := rule("spread", "user", "agent app", sigma.Behavior{Least: least, Most: most, Peers: []string{"ip"}})
	c.Timespan = timespan
	return c
}

func TestSpread(t *testing.T) {
	c := spreadRule(3, 2, 6*time.Hour)
	spray := []rec{
		at("0h", "user=anna ip=192.0.2.1 agent=x app=mail"), at("1h", "user=berta ip=192.0.2.2 agent=x app=mail"),
		at("2h", "user=carla ip=192.0.2.3 agent=x app=mail"),
	}
	sentence := "3 events within 6 hours share agent x, app mail: 3 values of user, from 3 values of ip, none of which has more than 2."
	with := func(more ...rec) []rec { return slices.Concat(spray, more) }
	for _, test := range []struct {
		name string
		recs []rec
		want []string
	}{
		{"low and slow", spray, []string{sentence}},
		{"one too few", spray[:2], nil},
		{"one account twice", with(spray[0])[1:], []string{sentence}},
		{"another fingerprint", append(with()[:2:2], at("2h", "user=carla ip=192.0.2.3 agent=y app=mail")), nil},
		{"too slow", append(with()[:2:2], at("20h", "user=carla ip=192.0.2.3 agent=x app=mail")), nil},
		{"a noisy source does not count", append(with(), at("1h", "user=dora ip=192.0.2.3 agent=x app=mail"), at("2h", "user=eva ip=192.0.2.3 agent=x app=mail")), nil},
		{"it goes on and is told once", with(
			at("4h", "user=dora ip=192.0.2.4 agent=x app=mail"), at("6h", "user=eva ip=192.0.2.5 agent=x app=mail"),
			at("8h", "user=fia ip=192.0.2.6 agent=x app=mail"),
		), []string{sentence}},
		{"and told again after a pause", with(
			at("48h", "user=dora ip=192.0.2.4 agent=x app=mail"), at("49h", "user=eva ip=192.0.2.5 agent=x app=mail"),
			at("50h", "user=fia ip=192.0.2.6 agent=x app=mail"),
		), []string{sentence, sentence}},
		{"records without an address are their account's", []rec{
			at("0h", "user=anna agent=x app=mail"), at("1h", "user=berta agent=x app=mail"), at("2h", "user=carla agent=x app=mail"),
		}, []string{sentence}},
	} {
		t.Run(test.name, func(t *testing.T) { table(t, c, test.recs, test.want) })
	}
}

func TestSpreadAgrees(t *testing.T) {
	told := 0
	for seed := range seeds(12) {
		rng := rand.New(rand.NewPCG(seed, 8))
		c := spreadRule(float64(2+rng.IntN(5)), float64(1+rng.IntN(3)), time.Duration(2+rng.IntN(10))*time.Hour)
		if rng.IntN(3) == 0 {
			c.Behavior.Peers = nil
		}
		recs := make([]rec, 300)
		for i := range recs {
			recs[i] = rec{at: time.Duration(rng.Int64N(100)) * time.Hour, tenant: name("t", rng.IntN(2)), fields: map[string]string{
				"user": name("u", rng.IntN(12)), "ip": name("i", int(rng.ExpFloat64()*8)), "agent": name("a", rng.IntN(3)), "app": "mail",
			}}
		}
		numbered(recs)
		got := deliver(t, rng, c, recs, 10*time.Hour)
		want := spreadOracle(c, recs)
		told += len(want)
		agree(t, seed, want, got.list(false))
	}
	if told < 50 {
		t.Errorf("the oracle told %d only: the test says nothing", told)
	}
}

func spreadOracle(c *sigma.Correlation, recs []rec) (out []fired) {
	hop := int64(c.Timespan) / 2
	type print struct{ tenant, agent string }
	by := map[print][]rec{}
	for _, r := range recs {
		p := print{r.tenant, r.fields["agent"]}
		by[p] = append(by[p], r)
	}
	for p, list := range by {
		slices.SortFunc(list, func(a, b rec) int { return a.pos().compare(b.pos()) })
		held := false
		for k := list[0].time()/hop - 1; k <= list[len(list)-1].time()/hop; k++ {
			bySource := map[string]int{}
			source := func(r rec) string {
				if len(c.Behavior.Peers) > 0 {
					return r.fields["ip"]
				}
				return r.fields["user"]
			}
			in := func(r rec) bool { return r.time() >= k*hop && r.time() < (k+2)*hop }
			for _, r := range list {
				if in(r) {
					bySource[source(r)]++
				}
			}
			groups, holds := map[string]bool{}, false
			for _, r := range list {
				if !in(r) || float64(bySource[source(r)]) > c.Behavior.Most {
					continue
				}
				groups[r.fields["user"]] = true
				if float64(len(groups)) >= c.Behavior.Least {
					if holds = true; !held {
						out = append(out, fired{Tenant: p.tenant, Group: p.agent + " mail ", Key: keyOf(r.key)})
					}
					break
				}
			}
			held = holds
		}
	}
	return out
}

func TestCrowdedWindowIsTold(t *testing.T) {
	s := behave.NewState(compile(t, spreadRule(1000, 3, 6*time.Hour)), open(t), []byte("b/"))
	stand := newStanding(t)
	for i := range 20_000 {
		r := rec{at: time.Hour, key: uint64(i + 1), fields: map[string]string{
			"user": name("u", i%7), "ip": name("i", i), "agent": "x", "app": "mail",
		}}
		s.Add(r.hit())
		stand.take(s.Firings())
	}
	got := stand.sentences()
	if len(got) != 1 || !strings.HasPrefix(got[0], "at least 2,049 events within 6 hours share agent x, app mail: 7 values of user, from 2,049 values of ip") {
		t.Errorf("%q", got)
	}
	if st := s.Stats(); st.Bytes > 4<<20 {
		t.Errorf("it takes %d bytes", st.Bytes)
	}
	for _, f := range stand.by {
		if len(f.Refs) != correlate.MaxRefs || f.Count != 2049 {
			t.Error(fmt.Sprint(len(f.Refs), f.Count))
		}
	}
}
