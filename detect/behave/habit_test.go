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
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestNewValue(t *testing.T) {
	country := rule("new_value", "user", "country", sigma.Behavior{Learn: 14 * day})
	rare := rule("new_value", "user", "app", sigma.Behavior{Learn: 14 * day, Rare: 1})
	remember := rule("new_value", "user", "country", sigma.Behavior{Learn: day, Remember: 30 * day})
	rareAgain := rule("new_value", "user", "app", sigma.Behavior{Rare: 1, Remember: 30 * day})
	moves := rule("new_value", "session", "network", sigma.Behavior{})
	pair := rule("new_value", "app", "client mailbox", sigma.Behavior{Learn: day})
	for _, test := range []struct {
		name string
		c    *sigma.Correlation
		recs []rec
		want []string
	}{
		{"new after learning", country, []rec{at("0h", "user=anna country=FR"), at("480h", "user=anna country=KP")}, []string{
			"first time that user anna shows country KP, in 20 days of watching.",
		}},
		{"a day too early", country, []rec{at("0h", "user=anna country=FR"), at("320h", "user=anna country=KP")}, nil},
		{"known", country, []rec{at("0h", "user=anna country=FR"), at("1h", "user=anna country=KP"), at("480h", "user=anna country=KP")}, nil},
		{"whatever the case", country, []rec{at("0h", "user=anna country=fr"), at("480h", "user=Anna country=FR")}, nil},
		{"another's history does not count", country, []rec{at("0h", "user=berta country=FR"), at("480h", "user=anna country=KP")}, nil},
		{"a record without the value makes the watch longer", country, []rec{at("0h", "user=anna"), at("480h", "user=anna country=KP")}, []string{
			"first time that user anna shows country KP, in 20 days of watching.",
		}},
		{"a record without the group", country, []rec{at("0h", "country=FR"), at("480h", "country=KP")}, nil},
		{"each of several values", country, []rec{at("0h", "user=anna country=FR"), at("480h", "user=anna country=KP|FR|IR")}, []string{
			"first time that user anna shows country IR, in 20 days of watching.",
			"first time that user anna shows country KP, in 20 days of watching.",
		}},
		{"rare", rare, []rec{
			at("0h", "user=berta app=mail"), at("1h", "user=carla app=mail"), at("2h", "user=dora app=odd"), at("480h", "user=anna app=odd"),
		}, []string{"first time that user anna shows app odd; 1 of 3 others had shown it before, in 20 days of watching."}},
		{"not rare", rare, []rec{
			at("0h", "user=berta app=odd"), at("1h", "user=carla app=odd"), at("480h", "user=anna app=odd"),
		}, nil},
		{"rare while the tenant is learned", rare, []rec{at("0h", "user=berta app=mail"), at("100h", "user=anna app=odd")}, nil},
		{"not rare any more when it is shown again", rareAgain, []rec{
			at("0h", "user=berta app=mail"), at("24h", "user=anna app=odd"), at("48h", "user=carla app=odd"), at("2400h", "user=anna app=odd"), at("1000h", "user=dora app=odd"),
		}, []string{
			"first time that user anna shows app odd; 0 of 1 other had shown it before, in 24 hours of watching.",
			"first time that user carla shows app odd; 1 of 2 others had shown it before, in 2 days of watching.",
		}},
		{"remembered for 30 days", remember, []rec{
			at("0h", "user=anna country=FR"), at("48h", "user=anna country=DE"), at("700h", "user=anna country=DE"), at("1300h", "user=anna country=FR"),
			at("1500h", "user=anna country=DE"), at("3000h", "user=anna country=DE"), at("3001h", "user=anna country=FR"),
		}, []string{
			"first time that user anna shows country DE, in 2 days of watching.",
			"user anna shows country FR again, after 54 days, in 54 days of watching.",
			"user anna shows country DE again, after 33 days, in 62 days of watching.",
		}},
		{"a session that moves", moves, []rec{
			at("0h", "session=s1 network=64500"), at("1h", "session=s1 network=64500"), at("2h", "session=s1 network=64501"), at("2h", "session=s2 network=64501"),
		}, []string{"first time that session s1 shows network 64501, in 2 hours of watching."}},
		{"a new pairing", pair, []rec{
			at("0h", "app=sync client=c1 mailbox=anna"), at("30h", "app=sync client=c1 mailbox=anna"),
			at("31h", "app=sync client=c2 mailbox=anna"), at("32h", "app=sync client=c2 mailbox=anna"),
		}, []string{"first time that app sync shows client c2, mailbox anna, in 31 hours of watching."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			table(t, test.c, test.recs, test.want)
		})
	}
}

// TestWatchedForLongerThanWasKnown: a late record brings out what was not told because the watch seemed too short, of
// a group that keeps its values in rows of their own, and of others of the tenant.
func TestWatchedForLongerThanWasKnown(t *testing.T) {
	defer behave.SetMaxInline(2)()
	for _, b := range []sigma.Behavior{{Learn: 2 * day}, {Learn: 2 * day, Remember: 30 * day}, {Learn: 2 * day, Rare: 3}, {Learn: 2 * day, Rare: 3, Remember: 30 * day}} {
		c := rule("new_value", "user", "country", b)
		s, stand := behave.NewState(compile(t, c), open(t), []byte("b/")), newStanding(t)
		add := func(recs ...rec) {
			for _, r := range recs {
				s.Add(r.hit())
				stand.take(s.Firings())
			}
		}
		recs := numbered([]rec{
			at("90h", "user=anna country=FR"), at("91h", "user=anna country=DE"), at("92h", "user=anna country=NL"), at("100h", "user=anna country=KP"),
			at("0h", "user=anna"), at("50h", "user=anna country=FR"),
		})
		if b.Rare > 0 {
			recs[4].fields["user"] = "berta"
		}
		if b.Rare == 0 && b.Remember > 0 {
			add(rec{at: -2000 * time.Hour, key: 99, fields: split("user=anna")}) // forgotten since
		}
		add(recs[:4]...)
		if got := stand.sentences(); len(got) > 0 {
			t.Errorf("%+v: told too early: %q", b, got)
		}
		add(recs[4:]...)
		if got := stand.sentences(); len(got) != 4 {
			t.Errorf("%+v: four countries are new two days after all began, told are %q", b, got)
		}
	}
}

func TestDormant(t *testing.T) {
	c := rule("dormant", "user", "", sigma.Behavior{Quiet: 30 * day})
	for _, test := range []struct {
		name string
		recs []rec
		want []string
	}{
		{"awake", []rec{at("0h", "user=anna"), at("2400h", "user=anna"), at("2401h", "user=anna")}, []string{
			"user anna is active after 100 days without activity, since 2026-06-01 00:00 UTC.",
		}},
		{"never seen before", []rec{at("2400h", "user=anna")}, nil},
		{"now and then", []rec{at("0h", "user=anna"), at("700h", "user=anna"), at("1400h", "user=anna")}, nil},
		{"exactly that long is not longer", []rec{at("0h", "user=anna"), at("720h", "user=anna")}, nil},
		{"twice", []rec{at("0h", "user=anna"), at("1000h", "user=anna"), at("2000h", "user=anna")}, []string{
			"user anna is active after 41 days without activity, since 2026-06-01 00:00 UTC.",
			"user anna is active after 41 days without activity, since 2026-07-12 16:00 UTC.",
		}},
	} {
		t.Run(test.name, func(t *testing.T) { table(t, c, test.recs, test.want) })
	}
}

// TestHabitAgrees compares with an oracle that has all records at once.
func TestHabitAgrees(t *testing.T) {
	for seed := range seeds(16) {
		rng := rand.New(rand.NewPCG(seed, 7))
		b := sigma.Behavior{Learn: time.Duration(rng.IntN(3)) * day, Remember: []time.Duration{0, 2 * day, 5 * day}[rng.IntN(3)]}
		c := rule("new_value", "user", "country", b)
		switch rng.IntN(4) {
		case 0:
			c = rule("dormant", "user", "", sigma.Behavior{Quiet: time.Duration(1+rng.IntN(48)) * time.Hour})
		case 1, 2:
			c.Behavior.Rare = 1 + rng.IntN(3)
		}
		recs := habits(rng, 300, 2)
		reset := behave.SetMaxInline(128)
		if rng.IntN(3) == 0 {
			behave.SetMaxInline(3) // most values have rows of their own
			recs = habits(rng, 300, 10)
		}
		numbered(recs)
		want := habitOracle(c, recs)
		agree(t, seed, want, deliver(t, rng, c, recs, 30*time.Hour).list(false))
		agree(t, seed, want, imported(t, rng, c, recs).list(false))
		reset()
	}
}

func habits(rng *rand.Rand, n int, values float64) []rec {
	recs := make([]rec, n)
	for i := range recs {
		r := &recs[i]
		r.at = time.Duration(rng.Int64N(int64(20*24))) * time.Hour // so that some are of one moment
		r.tenant = name("t", rng.IntN(2))
		r.fields = map[string]string{"user": name("u", int(rng.ExpFloat64()*2)%6)}
		if rng.IntN(10) > 0 {
			r.fields["country"] = name("c", int(rng.ExpFloat64()*values))
		}
	}
	return recs
}

func habitOracle(c *sigma.Correlation, recs []rec) (out []fired) {
	b := c.Behavior
	recs = slices.Clone(recs)
	slices.SortFunc(recs, func(a, b rec) int { return a.pos().compare(b.pos()) })
	tenants, first, last, ever := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]map[string]bool{}
	for _, r := range recs {
		user := r.tenant + " " + r.fields["user"]
		if at, ok := last[user]; !ok || c.Type == "new_value" && b.Remember > 0 && r.time()-at > int64(b.Remember) {
			first[user] = r.time() // forgotten
		}
		last[user] = r.time()
		if _, ok := tenants[r.tenant]; !ok {
			tenants[r.tenant] = r.time()
		}
		value, ok := r.fields["country"]
		remember := b.Remember
		if c.Type == "dormant" {
			value, ok, remember = "", true, b.Quiet
		}
		if !ok {
			continue
		}
		seen, known := last[user+" "+value]
		last[user+" "+value] = r.time()
		others := ever[r.tenant+" "+value]
		if others == nil {
			others = map[string]bool{}
			ever[r.tenant+" "+value] = others
		}
		before := len(others)
		if others[user] {
			before--
		}
		others[user] = true
		if known && (remember == 0 || r.time()-seen <= int64(remember)) {
			continue
		}
		since := first[user]
		if b.Rare > 0 {
			since = tenants[r.tenant]
			if before > b.Rare {
				continue
			}
		}
		if r.time() == since || r.time()-since < int64(b.Learn) {
			continue
		}
		f := fired{Tenant: r.tenant, Group: r.fields["user"] + " ", Key: keyOf(r.key)}
		if c.Type == "new_value" {
			f.Group += value + " "
		}
		out = append(out, f)
	}
	return out
}

func TestVariedSaysSo(t *testing.T) {
	defer behave.SetMaxBeyond(200)()
	c := rule("new_value", "user", "agent", sigma.Behavior{Learn: day})
	s := behave.NewState(compile(t, c), open(t), []byte("b/"))
	stand := newStanding(t)
	told := 0
	for i := range 1000 {
		r := rec{at: time.Duration(i) * time.Hour, key: uint64(i + 1), fields: map[string]string{"user": "mallory", "agent": name("a", i)}}
		s.Add(r.hit())
		f := s.Firings()
		told += len(f)
		stand.take(f)
	}
	if want := 128 + 200 - 24 + 1; told != want {
		t.Errorf("%d firings, want %d", told, want)
	}
	if !slices.ContainsFunc(stand.sentences(), func(s string) bool { return strings.Contains(s, "taken as varied") }) {
		t.Error("it does not say that it learns no more")
	}
	if st := s.Stats(); st.Varied != 1000-328 || st.Bytes > 2<<20 {
		t.Errorf("%+v", st)
	}
	// What it knew it knows still.
	r := rec{at: 2000 * time.Hour, key: 9999, fields: map[string]string{"user": "mallory", "agent": "a17"}}
	s.Add(r.hit())
	if f := s.Firings(); len(f) > 0 {
		t.Errorf("%v", f)
	}
}

func TestOddHits(t *testing.T) {
	c := rule("new_value", "user", "a b", sigma.Behavior{})
	s := behave.NewState(compile(t, c), open(t), []byte("b/"))
	many := strings.Repeat("x|", 3000) + "y"
	for i, r := range []rec{
		{at: -1 << 62, fields: map[string]string{"user": "u", "a": "1", "b": "2"}},
		{at: 1<<63 - 1, fields: map[string]string{"user": "u", "a": many, "b": many}},
		{at: 0, fields: map[string]string{"user": many, "a": strings.Repeat("long", 1<<18), "b": "\x00\xff\n\u202e"}},
	} {
		r.key = uint64(i + 1)
		s.Add(r.hit())
	}
	for _, f := range s.Firings() {
		if strings.ContainsAny(f.Sentence, "\n\x00\u202e") || len(f.Sentence) > 1000 {
			t.Errorf("%q", f.Sentence)
		}
	}
	if fmt.Sprint(s.Stats().Hits) == "0" {
		t.Error("no hits")
	}
}
