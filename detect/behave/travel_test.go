// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestTravel(t *testing.T) {
	byCountry := rule("travel", "user", "country asn", sigma.Behavior{Least: 3})
	byDegree := rule("travel", "user", "lat lon asn hosting", sigma.Behavior{Least: 3, Learn: time.Hour})
	byAddress := rule("travel", "user", "country ip", sigma.Behavior{Least: 3})
	const paris, berlin, tokyo = "lat=48.9 lon=2.3 ", "lat=52.5 lon=13.4 ", "lat=35.7 lon=139.7 "
	for _, test := range []struct {
		name string
		c    *sigma.Correlation
		recs []rec
		want []string
	}{
		{"two countries in an hour", byCountry, []rec{at("0h", "user=anna country=DE asn=1"), at("1h", "user=anna country=BR asn=2")}, []string{
			"user anna is in Brazil 60 minutes after Germany: at least 5,954 km, 5,954 km an hour; it is new to it, of 2 places and networks.",
		}},
		{"by name", byCountry, []rec{at("0h", "user=anna country=germany asn=1"), at("1h", "user=anna country=United_States asn=2")}, []string{
			"user anna is in United States 60 minutes after Germany: at least 4,769 km, 4,769 km an hour; it is new to it, of 2 places and networks.",
		}},
		{"neighbors may be a step apart", byCountry, []rec{at("0h", "user=anna country=DE asn=1"), at("0h", "user=anna country=FR asn=2")}, nil},
		{"a flight", byCountry, []rec{at("0h", "user=anna country=DE asn=1"), at("12h", "user=anna country=BR asn=2")}, nil},
		{"another person", byCountry, []rec{at("0h", "user=anna country=DE asn=1"), at("1h", "user=berta country=BR asn=2")}, nil},
		{"a place that is not known is none", byCountry, []rec{
			at("0h", "user=anna country=DE asn=1"), at("1h", "user=anna country=ZZ asn=2"), at("2h", "user=anna asn=2"),
		}, nil},
		{"a stop on the way", byDegree, []rec{at("0h", "user=anna "+paris), at("2h", "user=anna "+berlin), at("22h", "user=anna "+tokyo)}, nil},
		{"by coordinates", byDegree, []rec{at("0h", "user=anna "+paris), at("2h", "user=anna "+berlin), at("3h", "user=anna "+tokyo)}, []string{
			"user anna is in 35.7,139.7 60 minutes after 52.5,13.4: at least 8,817 km, 8,817 km an hour; it is new to it, of 3 places and networks.",
		}},
		{"not while it is learned", byDegree, []rec{at("0h", "user=anna "+paris), at("0.5h", "user=anna "+tokyo)}, nil},
		{"zero and zero is no place", byDegree, []rec{at("0h", "user=anna "+paris), at("2h", "user=anna lat=0 lon=0")}, nil},
		{"hosting does not count", byDegree, []rec{at("0h", "user=anna "+paris), at("2h", "user=anna hosting=true "+tokyo)}, nil},
		{"back and forth is told once", byCountry, []rec{
			at("0h", "user=anna country=DE asn=1"), at("1h", "user=anna country=BR asn=2"), at("2h", "user=anna country=DE asn=1"), at("3h", "user=anna country=BR asn=2"),
		}, []string{"user anna is in Brazil 60 minutes after Germany: at least 5,954 km, 5,954 km an hour; it is new to it, of 2 places and networks."}},
		{"both were used before", byCountry, []rec{
			at("0h", "user=anna country=DE asn=1"), at("20h", "user=anna country=BR asn=2"), at("45h", "user=anna country=DE asn=1"), at("46h", "user=anna country=BR asn=2"),
		}, nil},
		{"a network that others come by", byCountry, []rec{
			at("0h", "user=berta country=NL asn=9"), at("0h", "user=carla country=NL asn=9"), at("0h", "user=dora country=NL asn=9"),
			at("48h", "user=anna country=BR asn=1"), at("49h", "user=anna country=NL asn=9"), at("50h", "user=anna country=BR asn=1"),
		}, nil},
		{"one too few come by it", byCountry, []rec{
			at("0h", "user=berta country=NL asn=9"), at("0h", "user=carla country=NL asn=9"),
			at("48h", "user=anna country=BR asn=1"), at("49h", "user=anna country=NL asn=9"),
		}, []string{"user anna is in Netherlands 60 minutes after Brazil: at least 6,087 km, 6,087 km an hour; it is new to it, of 2 places and networks."}},
		{"it does not hide who comes after", byCountry, []rec{
			at("0h", "user=berta country=NL asn=9"), at("0h", "user=carla country=NL asn=9"), at("0h", "user=dora country=NL asn=9"),
			at("48h", "user=anna country=BR asn=1"), at("49h", "user=anna country=NL asn=9"), at("50h", "user=anna country=JP asn=3"),
		}, []string{"user anna is in Japan 2 hours after Brazil: at least 12,238 km, 6,119 km an hour; it is new to it, of 3 places and networks."}},
		{"addresses of one neighborhood", byAddress, []rec{
			at("0h", "user=anna country=DE ip=192.0.2.1"), at("20h", "user=anna country=BR ip=198.51.100.7"),
			at("45h", "user=anna country=DE ip=192.0.2.77"), at("46h", "user=anna country=BR ip=198.51.100.200"),
		}, nil},
		{"an address that is new", byAddress, []rec{
			at("0h", "user=anna country=DE ip=192.0.2.1"), at("20h", "user=anna country=BR ip=198.51.100.7"),
			at("45h", "user=anna country=DE ip=192.0.2.77"), at("46h", "user=anna country=BR ip=203.0.113.9"),
		}, []string{"user anna is in Brazil 60 minutes after Germany: at least 5,954 km, 5,954 km an hour; it is new to it, of 3 places and networks."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			// That others come by a network is learned a day before it matters, and not revised when it comes later.
			if strings.Contains(test.name, "others come by") || strings.Contains(test.name, "does not hide") {
				inOrder(t, test.c, test.recs, test.want)
				return
			}
			table(t, test.c, test.recs, test.want)
		})
	}
}

var cities = [][2]float64{{48.9, 2.3}, {52.5, 13.4}, {40.7, -74}, {35.7, 139.7}, {-33.9, 151.2}, {51.5, -0.1}}

func TestTravelAgrees(t *testing.T) {
	told := 0
	for seed := range seeds(8) {
		rng := rand.New(rand.NewPCG(seed, 9))
		c := rule("travel", "user", "lat lon asn", sigma.Behavior{Least: 4, KmPerHour: 800, Learn: time.Duration(rng.IntN(2)) * day})
		recs := make([]rec, 250)
		for i := range recs {
			city := int(rng.ExpFloat64() * 1.5)
			lat, lon := cities[city%len(cities)][0], cities[city%len(cities)][1]
			recs[i] = rec{at: time.Duration(rng.Int64N(10*24*60)) * time.Minute, fields: map[string]string{
				"user": name("u", rng.IntN(8)), "asn": fmt.Sprint(city%len(cities), rng.IntN(2)), "lat": fmt.Sprint(lat), "lon": fmt.Sprint(lon),
			}}
			if rng.IntN(2) == 0 && i > 0 { // bursts
				recs[i].at = recs[i-1].at + time.Duration(rng.Int64N(300))*time.Second
			}
		}
		numbered(recs)
		got := deliver(t, rng, c, recs, 20*time.Hour)
		want := travelOracle(c, recs)
		told += len(want)
		agree(t, seed, want, got.list(false))
	}
	if told < 40 {
		t.Errorf("the oracle told %d only: the test says nothing", told)
	}
}

func travelOracle(c *sigma.Correlation, recs []rec) (out []fired) {
	recs = slices.Clone(recs)
	slices.SortFunc(recs, func(a, b rec) int { return a.pos().compare(b.pos()) })
	place := func(r rec) string { return r.fields["lat"] + r.fields["lon"] }
	firstOf := func(r rec, what string) int64 { // when the user first had it
		for _, o := range recs {
			if o.fields["user"] == r.fields["user"] && (what == "" || what == place(o)+" "+o.fields["asn"]) {
				return o.time()
			}
		}
		panic("none")
	}
	familiar := func(r rec, at int64) bool { return firstOf(r, place(r)+" "+r.fields["asn"]) <= at-int64(day) }
	shared := func(r rec) bool {
		users := map[string]bool{}
		for _, o := range recs {
			if o.fields["asn"] == r.fields["asn"] && o.time() <= r.time()-int64(day) {
				users[o.fields["user"]] = true
			}
		}
		return float64(len(users)) >= c.Behavior.Least
	}
	from := map[string]rec{}
	toldAt := map[string]int64{}
	for i, r := range recs {
		user := r.fields["user"]
		// Only the first and the last of five minutes at a place and network.
		inner := [2]bool{}
		for j, o := range recs {
			if o.fields["user"] == user && place(o)+o.fields["asn"] == place(r)+r.fields["asn"] && o.at/(5*time.Minute) == r.at/(5*time.Minute) && i != j {
				if j < i {
					inner[0] = true
				} else {
					inner[1] = true
				}
			}
		}
		if inner == [2]bool{true, true} || !familiar(r, r.time()) && shared(r) {
			continue
		}
		a, ok := from[user]
		from[user] = r
		if !ok || place(a) == place(r) || r.time()-firstOf(r, "") < int64(c.Behavior.Learn) {
			continue
		}
		km := max(0, apart(a, r)-100)
		hours := max(time.Minute, r.at-a.at).Hours()
		if km < 100 || km <= c.Behavior.KmPerHour*hours || familiar(a, r.time()) && familiar(r, r.time()) {
			continue
		}
		pair := []string{place(a), place(r)}
		slices.Sort(pair)
		key := user + strings.Join(pair, " ")
		if at, ok := toldAt[key]; ok && r.time()-at < int64(day) {
			continue
		}
		toldAt[key] = r.time()
		out = append(out, fired{Tenant: "t", Group: user + " ", Key: keyOf(r.key)})
	}
	return out
}

// apart is the distance by vectors, not by the formula of the package.
func apart(a, b rec) float64 {
	vector := func(r rec) (v [3]float64) {
		var lat, lon float64
		fmt.Sscan(r.fields["lat"], &lat)
		fmt.Sscan(r.fields["lon"], &lon)
		lat, lon = lat*math.Pi/180, lon*math.Pi/180
		return [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
	}
	u, v := vector(a), vector(b)
	return 6371 * math.Acos(min(1, u[0]*v[0]+u[1]*v[1]+u[2]*v[2]))
}

func TestTooManyPlacesSaysSo(t *testing.T) {
	c := rule("travel", "user", "lat lon asn", sigma.Behavior{})
	s := behave.NewState(compile(t, c), open(t), []byte("b/"))
	stand := newStanding(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		r := rec{at: time.Duration(i) * time.Second, key: uint64(i + 1), fields: map[string]string{
			"user": "mallory", "lat": fmt.Sprint(rng.IntN(160) - 80), "lon": fmt.Sprint(rng.IntN(300) - 150), "asn": fmt.Sprint(i),
		}}
		s.Add(r.hit())
		stand.take(s.Firings())
	}
	if !slices.ContainsFunc(stand.sentences(), func(s string) bool { return strings.Contains(s, "taken as varied") }) {
		t.Error("it does not say that it follows no more")
	}
	if st := s.Stats(); st.Varied == 0 || st.Bytes > 4<<20 {
		t.Errorf("%+v", st)
	}
}
