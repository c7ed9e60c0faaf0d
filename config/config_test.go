// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/config"
)

//go:generate go test -run TestReference -update .
var update = flag.Bool("update", false, "write docs/reference/config.md")

func TestDefaults(t *testing.T) {
	empty, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), empty); diff != "" {
		t.Errorf("an empty file differs from the defaults:\n%s", diff)
	}
	none, err := config.Load("")
	if err != nil || cmp.Diff(none, empty) != "" {
		t.Errorf("no file differs from an empty one: %v", err)
	}
}

func TestEverySetting(t *testing.T) {
	got, err := config.Load("testdata/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Server:    config.Server{Listen: "0.0.0.0:443", TLSCert: "cert.pem", TLSKey: "key.pem"},
		Journal:   config.Journal{Name: "example.com/audit"},
		Retention: config.Retention{RawDays: 365, LakeDays: 90},
		Witness:   config.Witness{Policy: "policy.txt"},
		Enrich:    config.Enrich{Databases: []string{"country.mmdb", "asn.mmdb"}},
		Search:    config.Search{Timeout: config.Duration(90 * time.Second), Memory: 1 << 30, Parallel: 4},
		Log:       config.Log{Level: "debug"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The file must not forget a setting that is added later.
	def := reflect.ValueOf(config.Default())
	for i := range def.NumField() {
		for j := range def.Field(i).NumField() {
			if reflect.DeepEqual(def.Field(i).Field(j).Interface(), reflect.ValueOf(got).Field(i).Field(j).Interface()) {
				t.Errorf("full.toml leaves %s.%s at its default", def.Type().Field(i).Name, def.Field(i).Type().Field(j).Name)
			}
		}
	}
}

// TestBadFiles: each file's first line says what must be said of it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d bad files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		want, ok := strings.CutPrefix(first, "# want: ")
		if !ok {
			t.Fatalf("%s does not begin with what it wants", file)
		}
		_, err = config.Load(file)
		if err == nil {
			t.Errorf("%s is accepted", file)
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "configuration "+file+": "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	if _, err := config.Load("testdata/absent.toml"); err == nil || !strings.Contains(err.Error(), "absent.toml") {
		t.Errorf("got %v", err)
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "localhost": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "example.com": false, "localhost.example.com": false,
	} {
		if got := config.Loopback(host); got != want {
			t.Errorf("Loopback(%q) = %v", host, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "4096": 4096, "64MiB": 64 << 20, "1 GiB": 1 << 30, "3KiB": 3072, "7B": 7} {
		var got config.Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q = %d, %v", text, got, err)
		}
		var again config.Size
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%d prints as %q and reads as %d, %v", got, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "1MB", "99999999999GiB", "1.5GiB"} {
		if err := new(config.Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestReference(t *testing.T) {
	const file = "../docs/reference/config.md"
	got := config.Reference()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/reference/config.md is out of date: go generate ./config\n%s", diff)
	}
	if strings.Contains(got, "|  |") {
		t.Error("a setting has no documentation")
	}
}
