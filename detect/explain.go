// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/event"
)

// Explanation says of every part of a rule whether it holds for a record.
type Explanation = sigma.Explanation

// Explain judges one record by one rule, named by its id or name.
func (b *Book) Explain(ref string, raw []byte, family event.Family, view View) (*Explanation, error) {
	key, ok := b.Key(ref)
	if !ok {
		return nil, fmt.Errorf("there is no rule %q: \"daybreak rules list\" shows those that there are", ref)
	}
	for _, r := range b.Program.Rules() {
		if r.Key() == key {
			j := b.NewJudge(view)
			j.Record(raw, family, nil)
			return j.matcher.Explain(r), nil
		}
	}
	return nil, fmt.Errorf("%q is a correlation, which judges what other rules have matched: explain one of them", ref)
}
