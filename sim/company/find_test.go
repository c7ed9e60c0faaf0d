// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/sim/company"
)

func TestFind(t *testing.T) {
	c := open(t, company.Config{Seed: 9, People: 100_000})
	for n := 0; n < c.People(); n += 173 {
		p := c.Person(n)
		if got, ok := c.Find(strings.ToUpper(p.UPN)); !ok || got != n {
			t.Fatalf("%s is person %d: found %d, %v", p.UPN, n, got, ok)
		}
		if c.ObjectID(n) != p.ObjectID {
			t.Fatalf("person %d has two object ids", n)
		}
	}
	last := c.Person(c.People() - 1).UPN
	for _, upn := range []string{"", "@", c.Domain(), "nobody@" + c.Domain(), strings.Replace(last, "@", "9999@", 1), strings.Replace(last, "@", "0@", 1), last + "x", "x" + last, strings.Replace(last, c.Domain(), "other.example", 1), strings.Replace(last, ".", "", 1)} {
		if n, ok := c.Find(upn); ok {
			t.Errorf("%q is person %d", upn, n)
		}
	}
	small := open(t, company.Config{Seed: 9, People: 10})
	for n := range 10 {
		if got, ok := small.Find(small.Person(n).UPN); !ok || got != n {
			t.Errorf("person %d: %d %v", n, got, ok)
		}
	}
	if n, ok := small.Find(c.Person(99_999).UPN); ok {
		t.Errorf("a company of ten has a person %d", n)
	}
}
