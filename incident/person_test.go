// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/incident"
)

// whoIsWho is who accounts are: "tenant account" to a person. All tenants are one organization.
type whoIsWho map[string]string

func (w whoIsWho) person(tenant, account string, _ int64) (organization, person string) {
	if p := w[tenant+" "+account]; p != "" {
		return "", p
	}
	return tenant, account
}

// TestPeople: alerts of several suites are one incident if they are about one person.
func TestPeople(t *testing.T) {
	w := whoIsWho{"entra ann@x.example": "ann", "okta 00uann": "ann", "okta ann@x.example": "ann"}
	b := &bed{t: t, Store: open(t, openDB(t), incident.Options{Person: w.person})}
	of := func(tenant string, a detect.Alert) detect.Alert {
		return with(a, func(a *detect.Alert) { a.Tenant = tenant })
	}
	b.take(of("okta", alert("mfa", 0, "actor user 00uann")), of("entra", alert("rule", 1, "actor user ann@x.example")), of("slack", alert("app", 2, "actor user u0ann")),
		of("okta", alert("other", 3, "actor user 00ubob")))
	b.want("mfa rule; app; other")
	for tenant, want := range map[string]int{"okta": 2, "entra": 1, "slack": 1, "github": 0} {
		list, err := b.List(t.Context(), incident.Filter{Tenant: tenant})
		if err != nil || len(list) != want {
			t.Errorf("%s has %d incidents, want %d (%v)", tenant, len(list), want, err)
		}
	}

	// Later records show whose the account in Slack is, and that 00uann was never hers.
	w["slack u0ann"] = "ann"
	delete(w, "okta 00uann")
	if moved, err := b.Recognize(t.Context()); err != nil || moved != 2 {
		t.Fatalf("%d alerts were joined anew, want 2 (%v)", moved, err)
	}
	b.want("mfa; rule app; other")
	if moved, err := b.Recognize(t.Context()); err != nil || moved != 0 {
		t.Errorf("%d alerts were joined anew though nothing has changed (%v)", moved, err)
	}
}

// TestRecognize: whatever people were known to be while alerts came, once they are recognized all is as if it had been known
// from the beginning.
func TestRecognize(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 5))
		list := world(r, 60, 30)
		for i := range list {
			list[i].Tenant = []string{"entra", "okta", "slack"}[r.IntN(3)]
			if len(list[i].Refs) == 1 && r.IntN(3) == 0 {
				list[i].Kind = "single"
			}
		}
		know := func(w whoIsWho) {
			clear(w)
			for i := range 60 {
				for _, tenant := range []string{"entra", "okta", "slack"} {
					if r.IntN(3) > 0 {
						w[fmt.Sprintf("%s x%d", tenant, i)] = fmt.Sprint("person", i/2)
					}
				}
			}
		}
		w := whoIsWho{}
		b := &bed{t: t, Store: open(t, openDB(t), incident.Options{Person: w.person})}
		for _, a := range list {
			if r.IntN(8) == 0 {
				know(w)
			}
			if r.IntN(20) == 0 {
				if _, err := b.Recognize(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			b.take(a)
		}
		know(w)
		if _, err := b.Recognize(t.Context()); err != nil {
			t.Fatal(err)
		}
		plain := &bed{t: t, Store: open(t, openDB(t), incident.Options{Person: w.person})}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		plain.take(list...)
		if got, want := b.everything(), plain.everything(); got != want {
			t.Fatalf("seed %d\n got %s\nwant %s", seed, got, want)
		}
	}
}
