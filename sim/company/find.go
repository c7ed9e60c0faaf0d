// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"slices"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// ObjectID is the id of a person's account: [Person].ObjectID without the rest.
func (c *Company) ObjectID(n int) record.GUID { return c.objectID(n) }

// Find tells who has a user principal name, in letters of any size. It looks at
// names and not at people, so it takes as long in a company of any size.
func (c *Company) Find(upn string) (n int, ok bool) {
	alias, domain, _ := strings.Cut(strings.ToLower(upn), "@")
	first, rest, _ := strings.Cut(alias, ".")
	last := strings.TrimRight(rest, "0123456789")
	number := 0
	if digits := rest[len(last):]; digits != "" {
		k, err := strconv.Atoi(digits)
		if err != nil || k < 2 || k > c.people || strconv.Itoa(k) != digits {
			return 0, false
		}
		number = k - 1
	}
	named := func(mail string) func(name) bool { return func(v name) bool { return v.mail == mail } }
	given, family := slices.IndexFunc(givenNames, named(first)), slices.IndexFunc(familyNames, named(last))
	if given < 0 || family < 0 || domain != c.domain {
		return 0, false
	}
	// The step with which names are given out, backwards: see Company.name.
	pairs := len(givenNames) * len(familyNames)
	at := given + family*len(givenNames)
	for k := range pairs {
		if (k*pairStep+int(c.hash(tagName, 0)%uint64(pairs)))%pairs == at {
			n = number*pairs + k
			return n, n < c.people
		}
	}
	return 0, false
}
