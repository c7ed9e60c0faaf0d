// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSkewAndTheTimeOfAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.ahead = -10 * time.Minute
		c := d.client(t)
		if c.Skew() != 0 {
			t.Errorf("skew %v before any answer", c.Skew())
		}
		for range 50 {
			before := d.now()
			page, err := c.Content(t.Context(), 2, stream, time.Now(), time.Now(), "")
			if err != nil {
				t.Fatal(err)
			}
			// A page never claims to be younger than it is.
			if early := before.Sub(page.At); early < 0 || early > 2*time.Second {
				t.Errorf("asked for at %v, says %v", before, page.At)
			}
			time.Sleep(1234 * time.Millisecond)
		}
		if skew := c.Skew(); (skew + 10*time.Minute).Abs() > time.Second {
			t.Errorf("skew %v", skew)
		}
	})
}
