// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
)

// TestNothingLearnsFromACorrelation: what a correlation or a behavior has found may be taken back, and cannot be unlearned.
func TestNothingLearnsFromACorrelation(t *testing.T) {
	for _, under := range []string{
		"{type: event_count, rules: [failed], group-by: [UserId], timespan: 1h, condition: {gte: 5}}",
		"{type: dormant, rules: [failed], group-by: [UserId], behavior: {quiet: 30d}}",
	} {
		b, err := detect.Open(detect.BookOptions{Texts: []detect.Text{{Name: "own.yml", Text: `title: A sign-in fails
id: 5f1d7c52-51b5-4a39-8d16-2f1a6f0c0001
name: failed
logsource: {product: m365}
detection: {failed: {Operation: Fail}, condition: failed}
---
title: Under it
id: 5f1d7c52-51b5-4a39-8d16-2f1a6f0c0002
name: under
correlation: ` + under + `
---
title: It learns
id: 5f1d7c52-51b5-4a39-8d16-2f1a6f0c0003
correlation: {type: new_value, rules: [under], group-by: [UserId], behavior: {fields: [UserId]}}
`}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Problems) != 1 || b.Problems[0].Line != 12 || !strings.Contains(b.Problems[0].Message, "name the rules of its records") {
			t.Errorf("%s: %v", under, b.Problems)
		}
	}
}
