// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// tokenFile is a file that holds a token, and what authorizes by it.
func tokenFile(t *testing.T, text string) (s *rest.Static, write func(string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	write = func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	return rest.NewStatic("test", "SSWS", ref), write
}

// TestAStaticTokenIsReadAnewWhenItIsRefused: an exchanged token counts at once, a refused one is not tried at every turn.
func TestAStaticTokenIsReadAnewWhenItIsRefused(t *testing.T) {
	s, write := tokenFile(t, "xq-1\n")
	synctest.Test(t, func(t *testing.T) {
		get := func(refused, want string) {
			t.Helper()
			got, err := s.Token(t.Context(), refused)
			if e := (*rest.Error)(nil); want == "" && (!errors.As(err, &e) || e.Class != rest.ClassAuth || strings.Contains(err.Error(), "xq-")) {
				t.Errorf("after %q: %q, %v, want a refusal", refused, got, err)
			}
			if want != "" && (got != want || err != nil) {
				t.Errorf("after %q: %q, %v, want %q", refused, got, err, want)
			}
		}
		get("", "xq-1")
		if h := s.Header("xq-1"); h != "SSWS xq-1" {
			t.Errorf("header %q", h)
		}
		write("xq-2")
		get("", "xq-1") // nobody has refused it
		get("xq-1", "xq-2")
		get("xq-1", "xq-2") // a late answer to the old one
		get("xq-2", "")
		get("", "") // not again so soon
		time.Sleep(time.Minute)
		get("", "xq-2")
		get("xq-2", "")
		write("xq-3")
		get("", "xq-3")
		s.Accepted()
		get("", "xq-3")
		get("xq-3", "")
	})
}

func TestWhatIsNoToken(t *testing.T) {
	for _, text := range []string{"", "two words", "böse", "a\x00b", "a\r\nX-Evil: 1"} {
		s, _ := tokenFile(t, text)
		if got, err := s.Token(t.Context(), ""); err == nil || got != "" {
			t.Errorf("%q is taken for a token", text)
		} else if len(text) > 3 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}
