// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package normalize_test

import (
	"bytes"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
)

// TestF16Activity: records of one act are named alike through every channel, and those of two acts never.
func TestF16Activity(t *testing.T) {
	const request, correlation, target = "6a3d1f2e-0000-4a11-8b22-000000000001", "5b1a0ea0-0000-4a11-8b22-000000000002", "4c9d0fa1-0000-4a11-8b22-000000000003"
	type record struct{ family, raw string }
	act := func(r record) string {
		var n normalize.Normalizer
		var tape jsontape.Tape
		raw := []byte(r.raw)
		if err := tape.Parse(raw); err != nil {
			t.Fatal(err)
		}
		family, of := normalize.Activity(tape.Root(), event.Family(r.family), n.Identify(raw, event.Family(r.family)).ID)
		return string(family) + " " + string(bytes.Clone(of))
	}
	signIn := []record{
		{"entra-signin", `{"id":"` + request + `","createdDateTime":"2026-03-03T09:00:00Z","correlationId":"` + correlation + `","clientAppUsed":"Browser"}`},
		{"entra-diagnostic", `{"time":"2026-03-03T09:04:00Z","category":"SignInLogs","operationName":"Sign-in activity","properties":{"id":"` + request + `","createdDateTime":"2026-03-03T09:00:00Z"}}`},
		{"m365", `{"Id":"` + request + `","RecordType":15,"CreationTime":"2026-03-03T09:00:00","Operation":"UserLoggedIn","InterSystemsId":"` + correlation + `"}`},
	}
	audit := []record{
		{"entra-audit", `{"id":"Directory_1","activityDateTime":"2026-03-03T09:00:00.25Z","activityDisplayName":"Add user","correlationId":"` + correlation + `","targetResources":[{"id":"` + target + `"}]}`},
		{"entra-diagnostic", `{"time":"2026-03-03T09:04:00Z","category":"AuditLogs","operationName":"Add user","properties":{"id":"Directory_1","activityDateTime":"2026-03-03T09:00:00.2500000+00:00","activityDisplayName":"Add user","correlationId":"` + correlation + `","targetResources":[{"id":"` + target + `"}]}}`},
		{"m365", `{"Id":"` + request + `","RecordType":8,"CreationTime":"2026-03-03T09:00:00","Operation":"Add user.","InterSystemsId":"` + correlation + `","Target":[{"ID":"ann@contoso.example","Type":5},{"ID":"User_` + target + `","Type":2}]}`},
	}
	for _, same := range [][]record{signIn, audit} {
		for _, r := range same[1:] {
			if got, want := act(r), act(same[0]); got != want {
				t.Errorf("%s: %q, want %q", r.raw, got, want)
			}
		}
	}
	others := []record{
		signIn[0], audit[0],
		{"entra-audit", `{"id":"Directory_2","activityDateTime":"2026-03-03T09:00:01Z","activityDisplayName":"Add user","correlationId":"` + correlation + `","targetResources":[{"id":"` + target + `"}]}`}, // a second later
		{"entra-audit", `{"id":"Directory_3","activityDateTime":"2026-03-03T09:00:00Z","activityDisplayName":"Update user","correlationId":"` + correlation + `","targetResources":[{"id":"` + target + `"}]}`},
		{"entra-audit", `{"id":"Directory_4","activityDateTime":"2026-03-03T09:00:00Z","activityDisplayName":"Add user","correlationId":"` + correlation + `","targetResources":[{"id":"` + request + `"}]}`},
		{"entra-audit", `{"id":"Directory_5","activityDateTime":"2026-03-03T09:00:00Z","activityDisplayName":"Add user","correlationId":"` + correlation + `","targetResources":[]}`}, // cannot be told: its own
		{"m365", `{"Id":"` + request + `","RecordType":50,"CreationTime":"2026-03-03T09:00:00","Operation":"MailItemsAccessed"}`},
	}
	seen := map[string]string{}
	for _, r := range others {
		if before := seen[act(r)]; before != "" {
			t.Errorf("%s and %s are said to be one act", before, r.raw)
		}
		seen[act(r)] = r.raw
	}
}
