// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package admin_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/admin"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

const id = "11111111-2222-3333-4444-555555555555"

// open returns a client of a server that gives tokens, and answers all else with answer.
func open(t *testing.T, answer http.HandlerFunc) *admin.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"token-of-`+strings.ReplaceAll(r.PostFormValue("scope"), "/", ".")+`"}`)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := admin.New(admin.Options{
		Tenant: id, ClientID: id, API: server.URL, Login: server.URL, Credential: credential.FromSecret(ref),
		Shared: rest.Shared{Budget: budget.New(budget.Options{PerMinute: 100_000}), Log: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCmdlet: what is sent is what Exchange's own module sends, page after page; each API has a token of its own.
func TestCmdlet(t *testing.T) {
	var bodies, tokens []string
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies, tokens = append(bodies, r.Method+" "+string(body)), append(tokens, r.Header.Get("Authorization"))
		if !strings.HasSuffix(r.Header.Get("X-AnchorMailbox"), "@"+id) {
			t.Errorf("the routing hint is %q", r.Header.Get("X-AnchorMailbox"))
		}
		next := ""
		if r.Method == http.MethodPost {
			next = "http://" + r.Host + r.URL.Path + "?$skiptoken=2"
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"value": []any{map[string]any{"n": len(bodies)}}, "@odata.nextLink": next})
	})
	seen := ""
	err := c.Cmdlet(t.Context(), "Get-Mailbox", map[string]any{"ResultSize": "Unlimited"}, []string{"n"}, func(v jsontape.Value) error {
		seen += string(v.Get("n").Raw())
		return nil
	})
	if err != nil || seen != "12" {
		t.Errorf("%v: read %q", err, seen)
	}
	if bodies[0] != `POST {"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":{"ResultSize":"Unlimited"}}}` || bodies[1] != "GET " {
		t.Errorf("sent %q", bodies)
	}
	if want := "Bearer token-of-https:..outlook.office365.com..default"; tokens[0] != want || tokens[1] != want {
		t.Errorf("tokens %q", tokens)
	}
}

// TestReadsOnly: no cmdlet that changes anything is sent.
func TestReadsOnly(t *testing.T) {
	c := open(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	for _, name := range []string{"Set-Mailbox", "Remove-Mailbox", "get-mailbox;Set-Mailbox", ""} {
		if err := c.Cmdlet(t.Context(), name, nil, nil, nil); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

// TestRefusals: what a person has to do is in the error, and a token goes to no other host.
func TestRefusals(t *testing.T) {
	nothing := func(jsontape.Value) error { return nil }
	for name, tt := range map[string]struct {
		status int
		body   string
		class  rest.Class
		says   string
	}{
		"exchange hides the reason": {400, `{"error":{"code":"BadRequest","message":"Invalid Operation","innererror":{"internalexception":{"message":"The object is not there."}}}}`, rest.ClassRetry, "The object is not there."},
		"no directory role":         {403, strings.Repeat("\x00", 64), rest.ClassAdmin, "Security Reader"},
		"not found":                 {404, `{"error":{"code":"x","message":"gone"}}`, rest.ClassMissing, "gone"},
		"another host":              {200, `{"value":[],"@odata.nextLink":"https://evil.test/steal"}`, rest.ClassHostile, "another host"},
	} {
		c := open(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		err := c.Cmdlet(t.Context(), "Get-OrganizationConfig", nil, nil, nothing)
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
