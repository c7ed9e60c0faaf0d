// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package enrich_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/ocsf"
)

type (
	m = mmdbtype.Map
	s = mmdbtype.String
	u = mmdbtype.Uint32
)

// write makes a database of networks and returns its name.
func write(t testing.TB, networks map[string]m) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "test", BuildEpoch: 1767225600})
	if err != nil {
		t.Fatal(err)
	}
	for network, data := range networks {
		_, n, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(n, data); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "test.mmdb")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func nested(t testing.TB) string {
	return write(t, map[string]m{
		"81.2.69.0/24":   {"country": m{"iso_code": s("GB"), "names": m{"en": s("United Kingdom")}}, "autonomous_system_number": u(20712), "autonomous_system_organization": s("Andrews & Arnold")},
		"2a02:cf40::/29": {"country": m{"iso_code": s("NO")}},
		"5.9.0.0/16":     {"country": m{"iso_code": s("DE")}, "autonomous_system_number": u(24940), "autonomous_system_organization": s("Hetzner Online")},
	})
}

func TestLayouts(t *testing.T) {
	for name, test := range map[string]struct {
		networks map[string]m
		want     enrich.Info
	}{
		"nested":          {map[string]m{"81.2.0.0/16": {"country": m{"iso_code": s("GB")}, "autonomous_system_number": u(1), "autonomous_system_organization": s("One")}}, enrich.Info{Country: "GB", ASN: 1, Org: "One"}},
		"flat country":    {map[string]m{"81.2.0.0/16": {"country_code": s("GB")}}, enrich.Info{Country: "GB"}},
		"flat system":     {map[string]m{"81.2.0.0/16": {"autonomous_system_number": u(4200000000), "autonomous_system_organization": s("Big")}}, enrich.Info{ASN: 4200000000, Org: "Big"}},
		"numbers as text": {map[string]m{"81.2.0.0/16": {"country": s("GB"), "asn": s("AS64496"), "as_name": s("Text")}}, enrich.Info{Country: "GB", ASN: 64496, Org: "Text"}},
		"no code":         {map[string]m{"81.2.0.0/16": {"country_code": s("Great Britain")}}, enrich.Info{}},
		"unknown country": {map[string]m{"81.2.0.0/16": {"country_code": s("ZZ")}}, enrich.Info{}},
	} {
		db, err := enrich.Open(write(t, test.networks))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, addr := range []string{"81.2.69.142", "::ffff:81.2.69.142"} {
			if diff := cmp.Diff(test.want, db.Lookup(netip.MustParseAddr(addr))); diff != "" {
				t.Errorf("%s, %s: %s", name, addr, diff)
			}
		}
		for _, addr := range []string{"9.9.9.9", "10.1.2.3", "127.0.0.1", "::1", "fe80::1", "0.0.0.0", "224.0.0.1"} {
			if got := db.Lookup(netip.MustParseAddr(addr)); got != (enrich.Info{}) {
				t.Errorf("%s, %s: %v", name, addr, got)
			}
		}
	}
}

func TestTheFirstDatabaseThatKnowsIsAsked(t *testing.T) {
	country := write(t, map[string]m{"81.2.0.0/16": {"country_code": s("GB")}})
	system := write(t, map[string]m{"81.0.0.0/8": {"country": m{"iso_code": s("FR")}, "autonomous_system_number": u(2)}})
	db, err := enrich.Open(country, system)
	if err != nil {
		t.Fatal(err)
	}
	if got := db.Lookup(netip.MustParseAddr("81.2.0.1")); got != (enrich.Info{Country: "GB", ASN: 2}) {
		t.Errorf("got %v", got)
	}
	if want := time.Unix(1767225600, 0); !db.Built().Equal(want) {
		t.Errorf("built %v, want %v", db.Built(), want)
	}
}

// TestDamagedFiles holds that a file with a byte changed, cut off, or of another
// kind is refused in one sentence or still answers, and never panics.
func TestDamagedFiles(t *testing.T) {
	whole, err := os.ReadFile(nested(t))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "damaged.mmdb")
	try := func(content []byte) error {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := enrich.Open(name)
		if err == nil {
			db.Lookup(netip.MustParseAddr("81.2.69.142"))
			db.Lookup(netip.MustParseAddr("2a02:cf40::1"))
		} else if text := err.Error(); !strings.HasPrefix(text, name+": ") || strings.Contains(text, "\n") {
			t.Errorf("not one sentence: %v", err)
		}
		return err
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(whole); i += step {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x5a
		_ = try(damaged)
	}
	for _, content := range [][]byte{nil, []byte("not a database"), whole[:len(whole)/2], whole[:len(whole)-20]} {
		if try(content) == nil {
			t.Errorf("a file of %d bytes was taken for a database", len(content))
		}
	}
	if _, err := enrich.Open(name + ".missing"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := enrich.Open(write(t, map[string]m{"81.2.0.0/16": {"city": s("London")}})); err == nil || !strings.Contains(err.Error(), "neither countries nor autonomous systems") {
		t.Errorf("a database of cities: %v", err)
	}
}

func TestApply(t *testing.T) {
	var source enrich.Source
	if err := source.Load(nested(t)); err != nil {
		t.Fatal(err)
	}
	en := enrich.New(&source)
	for name, test := range map[string]struct {
		fill func(e *ocsf.Event)
		want map[ocsf.Path]string
	}{
		"plain": {func(e *ocsf.Event) { e.SetText(ocsf.PathSrcEndpointIP, "81.2.69.142") }, map[ocsf.Path]string{
			ocsf.PathSrcEndpointLocationCountry: "GB", ocsf.PathSrcEndpointAutonomousSystemNumber: "20712", ocsf.PathSrcEndpointAutonomousSystemName: "Andrews & Arnold",
		}},
		"hosting": {func(e *ocsf.Event) { e.SetText(ocsf.PathSrcEndpointIP, "5.9.1.1") }, map[ocsf.Path]string{
			ocsf.PathSrcEndpointLocationCountry: "DE", ocsf.PathSrcEndpointAutonomousSystemNumber: "24940", ocsf.PathSrcEndpointAutonomousSystemName: "Hetzner Online",
			ocsf.PathEnrichmentsName: "src_endpoint.ip", ocsf.PathEnrichmentsValue: "5.9.1.1", ocsf.PathEnrichmentsType: "hosting", ocsf.PathEnrichmentsProvider: "Hetzner", ocsf.PathEnrichmentsData: `{"hosting":true}`,
		}},
		"the provider knows better": {func(e *ocsf.Event) {
			e.SetText(ocsf.PathSrcEndpointIP, "81.2.69.142")
			e.SetText(ocsf.PathSrcEndpointLocationCountry, "IE")
			e.SetInt(ocsf.PathSrcEndpointAutonomousSystemNumber, 64496)
		}, map[ocsf.Path]string{ocsf.PathSrcEndpointLocationCountry: "IE", ocsf.PathSrcEndpointAutonomousSystemNumber: "64496"}},
		"version 6":  {func(e *ocsf.Event) { e.SetText(ocsf.PathSrcEndpointIP, "2a02:cf40::99") }, map[ocsf.Path]string{ocsf.PathSrcEndpointLocationCountry: "NO"}},
		"a finding":  {func(e *ocsf.Event) { e.SetText(ocsf.PathEvidencesSrcEndpointIP, "81.2.69.142") }, map[ocsf.Path]string{ocsf.PathEvidencesSrcEndpointLocationCountry: "GB"}},
		"no address": {func(e *ocsf.Event) { e.SetText(ocsf.PathSrcEndpointIP, "client.example") }, map[ocsf.Path]string{}},
	} {
		for range 2 { // the second time from the cache
			e := ocsf.Event{Class: ocsf.ClassAuthentication, Activity: 1}
			if name == "a finding" {
				e.Class = ocsf.ClassDetectionFinding
			}
			test.fill(&e)
			en.Apply(&e)
			for _, problem := range ocsf.Validate(e.AppendJSON(nil)) {
				t.Errorf("%s: %v", name, problem)
			}
			got := map[ocsf.Path]string{}
			for _, a := range e.Attrs {
				if a.Path != ocsf.PathSrcEndpointIP && a.Path != ocsf.PathEvidencesSrcEndpointIP {
					if got[a.Path] = string(a.Str); a.Kind == ocsf.Int {
						got[a.Path] = fmt.Sprint(a.Num)
					}
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestLoadExchanges(t *testing.T) {
	var source enrich.Source
	en := enrich.New(&source)
	country := func() string {
		var e ocsf.Event
		e.SetText(ocsf.PathSrcEndpointIP, "81.2.69.142")
		en.Apply(&e)
		return string(e.Str(ocsf.PathSrcEndpointLocationCountry))
	}
	if got := country(); got != "" {
		t.Errorf("without a database: %q", got)
	}
	for _, code := range []string{"GB", "IE"} {
		if err := source.Load(write(t, map[string]m{"81.2.0.0/16": {"country_code": s(code)}})); err != nil {
			t.Fatal(err)
		}
		if got := country(); got != code {
			t.Errorf("got %q, want %q", got, code)
		}
	}
	if err := source.Load("/no/such/file"); err == nil || country() != "IE" {
		t.Errorf("a failed load must keep what is in use: %v, %q", err, country())
	}
}

func BenchmarkApply(b *testing.B) {
	var source enrich.Source
	if err := source.Load(nested(b)); err != nil {
		b.Fatal(err)
	}
	en := enrich.New(&source)
	var e ocsf.Event
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		e.SetText(ocsf.PathSrcEndpointIP, "5.9.1.1")
		en.Apply(&e)
	}
}
