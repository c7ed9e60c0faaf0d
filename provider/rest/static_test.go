// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// TestStatic: the token is read once, and again when it was refused; a refused one is not given out again at once, to nobody.
func TestStatic(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	s := rest.NewStatic("okta", "SSWS", ref)
	want := func(refused, want string) {
		t.Helper()
		got, err := s.Token(t.Context(), refused)
		if err != nil || got != want {
			t.Errorf("token %q, %v, want %q", got, err, want)
		}
	}
	fails := func(refused string) *rest.Error {
		t.Helper()
		text, err := s.Token(t.Context(), refused)
		e := new(rest.Error)
		if !errors.As(err, &e) || e.Class != rest.ClassAuth || e.Action == "" {
			t.Fatalf("token %q, %v, want an error of the credential", text, err)
		}
		if strings.Contains(e.Error(), "first") || strings.Contains(e.Error(), "second") {
			t.Errorf("it shows the token: %v", e)
		}
		return e
	}
	fails("") // there is no file
	write("first\n")
	want("", "first")
	write("second")
	want("", "first")
	if got := s.Header("x"); got != "SSWS x" {
		t.Errorf("header %q", got)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { want("first", "second") })
	}
	all.Wait()
	if e := fails("second"); e.RetryAfter <= 0 || e.Status != 401 {
		t.Errorf("refused as %+v", e)
	}
	fails("")
	s.Accepted() // somebody's request was let through after all
	want("", "second")
	fails("second")
	write("third")
	want("", "third")
	write("two\nlines")
	fails("third")
	write("fine")
	want("third", "fine")
}
