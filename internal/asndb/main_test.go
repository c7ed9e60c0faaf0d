// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oschwald/maxminddb-golang/v2"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.mmdb")
	write := func(text string) {
		if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("9.9.9.0,9.9.9.255,19281,Quad9\n9.9.10.0,9.9.12.127,64496,\"Ours, Inc.\"\n10.0.0.0,10.255.255.255,1,reserved\n2620:fe::,2620:fe::ffff,19281,Quad9\n")
	if err := run(out, []string{in}); err != nil {
		t.Fatal(err)
	}
	db, err := maxminddb.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for addr, want := range map[string]string{"9.9.9.9": "Quad9", "9.9.12.127": "Ours, Inc.", "9.9.12.128": "", "10.1.1.1": "", "2620:fe::fe": "Quad9"} {
		var got struct {
			Org string `maxminddb:"autonomous_system_organization"`
		}
		if err := db.Lookup(netip.MustParseAddr(addr)).Decode(&got); err != nil || got.Org != want {
			t.Errorf("%s: %q, %v; want %q", addr, got.Org, err, want)
		}
	}
	for _, bad := range []string{"9.9.9.0,9.9.9.255,many,Quad9\n", "9.9.9.0,here,1,Quad9\n", "9.9.9.0\n"} {
		write(bad)
		if err := run(out, []string{in}); err == nil || !strings.HasPrefix(err.Error(), in) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
