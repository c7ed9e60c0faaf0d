// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package field_test

import (
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/normalize/field"
)

func TestTime(t *testing.T) {
	at := time.Date(2026, 5, 18, 21, 13, 33, 0, time.UTC)
	tests := []struct {
		text string
		want time.Time // zero: refused
	}{
		{"2026-05-18T21:13:33", at},
		{"2026-05-18t21:13:33z", at},
		{"2026-05-18 21:13:33", at},
		{"2026-05-18 21:13:33Z", at},
		{"2026-05-18 21:13:33 Z", at},
		{"2026-05-18T21:13:33.1037807Z", at.Add(103780700)},
		{"2026-05-18T21:13:33.123456789123Z", at.Add(123456789)},
		{"2026-05-18T23:13:33+02:00", at},
		{"2026-05-18T13:43:33-0730", at},
		{"2026-05-18", at.Truncate(24 * time.Hour)},
		{"5/18/2026 9:13:33 PM", at},
		{"05/18/2026 21:13:33", at},
		{"5/18/2026 12:00:00 AM", at.Truncate(24 * time.Hour)},
		{"5/18/2026 12:00:00 PM", at.Truncate(24 * time.Hour).Add(12 * time.Hour)},
		{"5/18/2026", at.Truncate(24 * time.Hour)},
		{"/Date(1779138813000)/", at},
		{`\/Date(1779138813000)\/`, at},
		{"/Date(1779138813000+0200)/", at},
		{"/Date(-1000)/", time.Unix(-1, 0)},
		{"1969-12-31T23:59:59.5", time.Unix(-1, 5e8)},
		{"2024-02-29T00:00:00Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{text: "2026-02-29T00:00:00Z"},
		{text: "2026-13-01T00:00:00Z"},
		{text: "2026-05-18T24:00:00Z"},
		{text: "2026-05-18T21:13"},
		{text: "2026-05-18T21:13:33 PST"},
		{text: "2026-05-18T21:13:33+2:00"},
		{text: "18/5/2026 21:13:33"},
		{text: "5/18/2026 13:00:00 PM"},
		{text: "5/18/26"},
		{text: "0001-01-01T00:00:00"},
		{text: "9999-12-31T23:59:59"},
		{text: "/Date()/"},
		{text: "/Date(99999999999999999)/"},
		{text: "1779138813"},
		{text: "yesterday"},
		{text: ""},
	}
	for _, test := range tests {
		ns, ok := field.Time([]byte(test.text))
		if ok == test.want.IsZero() || ok && ns != test.want.UnixNano() {
			t.Errorf("%q: got %v %v, want %v", test.text, time.Unix(0, ns).UTC(), ok, test.want)
		}
	}
}

func FuzzTimeAgreesWithPackageTime(f *testing.F) {
	f.Add("2026-05-18T21:13:33.1037807Z")
	f.Add("2026-05-18T23:13:33+02:00")
	f.Add("5/18/2026 9:13:33 PM")
	f.Add("/Date(1779138813000)/")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := field.Time([]byte(s))
		want, err := time.Parse(time.RFC3339Nano, s)
		_, offset := want.Zone()
		if err != nil || want.UTC().Year() < 1679 || want.UTC().Year() > 2260 || max(offset, -offset) > 18*3600 {
			return
		}
		if s[13] != ':' || strings.Contains(s, ",") {
			return // package time is more lenient than RFC 3339
		}
		if !ok || got != want.UnixNano() {
			t.Errorf("%q: got %d %v, want %d", s, got, ok, want.UnixNano())
		}
	})
}

func TestParseEndpoint(t *testing.T) {
	tests := []struct {
		text, ip, host string
		port           int
	}{
		{text: "203.0.113.7", ip: "203.0.113.7"},
		{text: "203.0.113.7:5678", ip: "203.0.113.7", port: 5678},
		{text: "[203.0.113.7]", ip: "203.0.113.7"},
		{text: "[203.0.113.7]:5678", ip: "203.0.113.7", port: 5678},
		{text: "2001:db8::1", ip: "2001:db8::1"},
		{text: "2001:DB8:0:0::1", ip: "2001:db8::1"},
		{text: "[2001:db8::1]", ip: "2001:db8::1"},
		{text: "[2001:db8::1]:5678", ip: "2001:db8::1", port: 5678},
		{text: "fe80::1%eth0", ip: "fe80::1"},
		{text: "::ffff:203.0.113.7", ip: "203.0.113.7"},
		{text: "[::ffff:203.0.113.7]:99", ip: "203.0.113.7", port: 99},
		{text: "ffff:203.0.113.7", ip: "203.0.113.7"},
		{text: "::1", ip: "::1"},
		{text: "0.0.0.0", ip: "0.0.0.0"},
		{text: "CLIENT (203.0.113.7)", ip: "203.0.113.7", host: "CLIENT"},
		{text: "[CLIENT (203.0.113.7)]", ip: "203.0.113.7", host: "CLIENT"},
		{text: "client.example.com", host: "client.example.com"},
		{text: "client.example.com:5678", host: "client.example.com", port: 5678},
		{text: "[localhost]:12345", host: "localhost", port: 12345},
		{text: ""},
		{text: "null"},
		{text: "ffff:"},
		{text: "["},
		{text: "[]"},
		{text: ":"},
		{text: "10.9000.0.1"},
		{text: "CLIENT (10.900.0.1)"},
		{text: "CLIENT (203.0.113.7"},
		{text: "203.0.113.7:99999"},
		{text: "203.0.113.7:"},
		{text: "[2001:db8::1]x"},
		{text: "not an address"},
		{text: "<script>"},
		{text: "a..b"},
		{text: "-1.5e3"},
	}
	for _, test := range tests {
		e, ok := field.ParseEndpoint([]byte(test.text))
		ip := ""
		if e.Addr.IsValid() {
			ip = e.Addr.String()
		}
		if ok != (test.ip+test.host != "") || ok && (ip != test.ip || string(e.Host) != test.host || e.Port != test.port) {
			t.Errorf("%q: got %q %q %d %v", test.text, ip, e.Host, e.Port, ok)
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	f.Add("[::ffff:203.0.113.7]:99")
	f.Add("CLIENT (203.0.113.7)")
	f.Add("client.example.com:5678")
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := field.ParseEndpoint([]byte(s))
		if !ok {
			return
		}
		if !e.Addr.IsValid() && len(e.Host) == 0 {
			t.Errorf("%q: neither an address nor a name", s)
		}
		if e.Port < 0 || e.Port > 65535 || e.Addr.Zone() != "" || e.Addr.Is4In6() {
			t.Errorf("%q: %+v", s, e)
		}
		if e.Addr.IsValid() {
			again, ok := field.ParseEndpoint([]byte(e.Addr.String()))
			if !ok || again.Addr != e.Addr {
				t.Errorf("%q: %v does not read back", s, e.Addr)
			}
		}
	})
}

func TestMail(t *testing.T) {
	for _, s := range []string{"a@b.c", "first.last+tag@sub.example.com", "o'hara_1@example.com", "#ext#@example.com"} {
		if !field.Mail([]byte(s)) {
			t.Errorf("%q: refused", s)
		}
	}
	for _, s := range []string{"", "a", "@b.c", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b@c.d", "<a@b.c>", "app@sharepoint", "a@b_c.d", "ä@b.c"} {
		if field.Mail([]byte(s)) {
			t.Errorf("%q: accepted", s)
		}
	}
}

func TestGUID(t *testing.T) {
	if !field.GUID([]byte("0c7a4f64-51f2-4A52-9e07-1d6a3c8e2b11")) {
		t.Error("refused a GUID")
	}
	for _, s := range []string{"", "0c7a4f64-51f2-4a52-9e07-1d6a3c8e2b1", "0c7a4f6451f2-4a52-9e07-1d6a3c8e2b11x", "gc7a4f64-51f2-4a52-9e07-1d6a3c8e2b11"} {
		if field.GUID([]byte(s)) {
			t.Errorf("%q: accepted", s)
		}
	}
}
