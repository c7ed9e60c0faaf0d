// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"math/rand/v2"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

var formatSeeds = []string{
	"203.0.113.7", "::1", "::ffff:1.2.3.4", "fe80::1%eth0", "2001:db8:0:1:2:3:4:5", "1:2:3:4:5:6:1.2.3.4", "1::", "1.2.3", "256.1.1.1",
	"a@b.c", "o'neil+x@ex-ample.co.uk", "a@b", "@b.c", "a@.c", "a@b.", "a b@c.d", "a@b@c.d", "\"a\"@b.c", "a@b.c\n",
	"00:1b:44:11:3a:b7", "00-1b-44-11-3a-b7", "001b.4411.3ab7", "7f6b1c4e-0000-4abc-9def-0123456789ab", "7f6b1c4e00004abc9def0123456789ab",
	"2026-05-18T21:13:33", "2026-05-18t21:13:33.123z", "2026-05-18T21:13:33+02:00", "2026-05-18 21:13:33", "2026-05-18T21:13:33.", "2026-05-18T21:13:33.1Z0",
	"", "AAAA", "AA==", "AAA=", "A===", "AA=A", "-_-_", "+/+/", "-/-/", "AAAAA",
}

// checkFormats: what a check accepts, the type's own pattern accepts as well.
func checkFormats(t *testing.T, s string) {
	t.Helper()
	for name, ok := range formats {
		typ := schema.Load().Types[name]
		if !ok([]byte(s)) {
			continue
		}
		if typ.MaxLen > 0 && utf8.RuneCountInString(s) > typ.MaxLen {
			t.Errorf("%s: accepts %q, which is too long", name, s)
		}
		if typ.Regex != "" && !regexp.MustCompile(typ.Regex).MatchString(s) {
			t.Errorf("%s: accepts %q, which the pattern refuses", name, s)
		}
	}
}

func TestFormats(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, s := range formatSeeds {
		checkFormats(t, s)
		for range 50 {
			b := []byte(s + " ")
			b[rnd.IntN(len(b))] = byte(rnd.IntN(256))
			checkFormats(t, string(b[:len(s)]))
		}
	}
	for name, good := range map[string]string{
		"ip_t": "2001:db8::7", "email_t": "some.one@example.com", "mac_t": "00:1b:44:11:3a:b7", "uuid_t": "7f6b1c4e-0000-4abc-9def-0123456789ab",
		"datetime_t": "2026-05-18T21:13:33.12+02:00", "subnet_t": "203.0.113.0/24", "bytestring_t": "QUJDRA==",
	} {
		if !formats[name]([]byte(good)) {
			t.Errorf("%s refuses %q", name, good)
		}
	}
}

func FuzzFormats(f *testing.F) {
	for _, s := range formatSeeds {
		f.Add(s)
	}
	f.Fuzz(checkFormats)
}

// TestPatterns: each string type with a pattern or a length has a check, so
// that Fit refuses what Validate would.
func TestPatterns(t *testing.T) {
	for name, typ := range schema.Load().Types {
		if _, err := regexp.Compile(typ.Regex); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if (typ.Regex != "" || typ.MaxLen > 0) && formats[name] == nil {
			t.Errorf("%s has a pattern or a length and no check", name)
		}
	}
}
