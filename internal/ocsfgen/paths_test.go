// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

func TestReadPaths(t *testing.T) {
	got, err := readPaths(schema.Load(), `
# a remark
user.name
resources[].uid   string
actor.user.uid # another
src_endpoint.port int
user.name
resources[].name
email.to[]
raw_data
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"actor.user.uid", "email.to[]", "raw_data", "resources[].name", "resources[].uid", "src_endpoint.port", "user.name"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadPathsRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"nonsense":                     `line 1: nonsense: no class of OCSF 1.8.0 has "nonsense"`,
		"user.nonsense":                `OCSF's user has no "nonsense"`,
		"user":                         "user is an object (user): name its attributes, one a line",
		"user.name.x":                  "name has no attributes, it is a username_t",
		"resources.name":               "resources is an array: write resources[]",
		"user[].name":                  "user is not an array: write it without []",
		"src_endpoint.ip int":          "the schema has it as string",
		"src_endpoint.ip string it is": "the schema has it as string",
		"time":                         "the encoder writes it",
		"actor.process.parent_process.parent_process.parent_process.parent_process.parent_process.parent_process.name": "more than 8 names",
	} {
		if _, err := readPaths(schema.Load(), line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	_, err := readPaths(schema.Load(), "nonsense\nuser.name\nmore")
	if err == nil || !strings.Contains(err.Error(), "line 1") || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("got %v, want both bad lines", err)
	}
}

func TestGoName(t *testing.T) {
	for path, want := range map[string]string{
		"src_endpoint.ip": "SrcEndpointIP", "resources[].name": "ResourcesName", "actor.user.email_addr": "ActorUserEmailAddr",
		"email.to[]": "EmailTo", "is_mfa": "IsMFA", "url.url_string": "URLURLString", "web_resources[].uid": "WebResourcesUID",
	} {
		if got := goName(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestGeneratedFilesAreUpToDate: a change of paths.txt is followed by
// go generate.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	const folder = "../../ocsf"
	dir := t.TempDir()
	list, err := os.ReadFile(filepath.Join(folder, "paths.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "paths.txt"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"paths_gen.go", "class_gen.go"} {
		want, err1 := os.ReadFile(filepath.Join(dir, name))
		got, err2 := os.ReadFile(filepath.Join(folder, name))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what paths.txt and the schema make: run go generate ./ocsf", name)
		}
	}
}
