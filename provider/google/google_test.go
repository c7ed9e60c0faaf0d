// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/google"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// key is the service account's.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// keyFile is the key as Google Cloud gives it; change may be nil.
func keyFile(t testing.TB, change func(map[string]string)) credential.Reference {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key())
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]string{
		"type": "service_account", "project_id": "audit", "private_key_id": "k1", "client_email": "reader@audit.iam.gserviceaccount.example", "client_id": "112233",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://evil.example/token",
	}
	if change != nil {
		change(members)
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

const token = "ya29.simulated"

// newClient is a client of a service whose answers a test decides; login is that of the token endpoint, nil for one that
// gives a token.
func newClient(t *testing.T, ref credential.Reference, login, serve http.HandlerFunc) *google.Client {
	t.Helper()
	if login == nil {
		login = func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"access_token":%q,"expires_in":3599,"token_type":"Bearer"}`, token)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", login)
	mux.HandleFunc("/", serve)
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	c, err := google.New(google.Options{
		Customer: "C01abc23", Admin: "ada@contoso.example", API: web.URL, Login: web.URL, Key: ref,
		Shared: rest.Shared{Log: slog.New(slog.DiscardHandler), Budget: budget.New(budget.Options{PerMinute: 1_000_000})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func list(t *testing.T, c *google.Client, next string) (*google.Page, error) {
	t.Helper()
	s, ok := google.Lookup("login")
	if !ok {
		t.Fatal("there is no stream login")
	}
	return c.List(t.Context(), budget.Head, s, noon, noon.Add(1500*time.Millisecond), next)
}

// TestWhatIsAskedFor: the window from a millisecond before, its page behind a token, and who asks.
func TestWhatIsAskedFor(t *testing.T) {
	var asked []string
	c := newClient(t, keyFile(t, nil), nil, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, strings.Join([]string{r.URL.Path, q.Get("customerId"), q.Get("startTime"), q.Get("endTime"), q.Get("maxResults"), q.Get("pageToken"), r.Header.Get("Authorization")}, " "))
		_, _ = w.Write([]byte(`{"kind":"admin#reports#activities","items":[{"id":{"time":"b"}}, {"n":1e3}],"nextPageToken":"A:1/2+3=="}`))
	})
	page, err := list(t, c, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Records) != 2 || string(page.Records[1]) != `{"n":1e3}` || page.Next != "A:1/2+3==" || page.At.IsZero() {
		t.Errorf("page %q next %q at %v", page.Records, page.Next, page.At)
	}
	if _, err := list(t, c, page.Next); err != nil {
		t.Fatal(err)
	}
	const want = "/admin/reports/v1/activity/users/all/applications/login C01abc23 2026-03-03T11:59:59.999Z 2026-03-03T12:00:01.500Z 1000 "
	if diff := cmp.Diff([]string{want + " Bearer " + token, want + "A:1/2+3== Bearer " + token}, asked); diff != "" {
		t.Error(diff)
	}
}

// TestTheGrant: what the token endpoint is given is signed by the key, says for whom and for what, and nothing else; where the
// key's file says that tokens are had counts for nothing.
func TestTheGrant(t *testing.T) {
	var form map[string][]string
	login := func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form = r.PostForm
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":3599,"token_type":"Bearer"}`, token)
	}
	var base string
	c := newClient(t, keyFile(t, nil), login, func(w http.ResponseWriter, r *http.Request) {
		base = "http://" + r.Host
		_, _ = w.Write([]byte(`{"kind":"admin#reports#activities"}`))
	})
	before := time.Now()
	if _, err := list(t, c, ""); err != nil {
		t.Fatal(err)
	}
	if len(form) != 2 || form["grant_type"][0] != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Fatalf("the form is %v", form)
	}
	parts := strings.Split(form["assertion"][0], ".")
	if len(parts) != 3 {
		t.Fatal("the assertion is no JWT")
	}
	decode := func(text string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key().PublicKey, crypto.SHA256, digest[:], decode(parts[2])); err != nil {
		t.Error(err)
	}
	var header map[string]string
	var claims struct {
		Iss, Sub, Scope, Aud string
		Iat, Exp             int64
	}
	if json.Unmarshal(decode(parts[0]), &header) != nil || json.Unmarshal(decode(parts[1]), &claims) != nil {
		t.Fatal("header or claims are no JSON")
	}
	if diff := cmp.Diff(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "k1"}, header); diff != "" {
		t.Error(diff)
	}
	if claims.Iss != "reader@audit.iam.gserviceaccount.example" || claims.Sub != "ada@contoso.example" || claims.Scope != google.Scope || claims.Aud != base+"/token" {
		t.Errorf("claims %+v", claims)
	}
	if life := claims.Exp - claims.Iat; life <= 0 || life > 3600 || claims.Iat > before.Unix() {
		t.Errorf("it is good from %d to %d, at %d", claims.Iat, claims.Exp, before.Unix())
	}
}

// TestKeys: one that cannot work is refused with a sentence that holds nothing of it, and a new one counts at once.
func TestKeys(t *testing.T) {
	for want, change := range map[string]func(map[string]string){
		"type must be":       func(m map[string]string) { m["type"] = "authorized_user" },
		"lacks client_email": func(m map[string]string) { delete(m, "client_email") },
		"no private key":     func(m map[string]string) { m["private_key"] = "tops3cret" },
		"private_key cannot": func(m map[string]string) {
			m["private_key"] = "-----BEGIN PRIVATE KEY-----\ndG9wczNjcmV0\n-----END PRIVATE KEY-----\n"
		},
		"is encrypted": func(m map[string]string) {
			m["private_key"] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\ndG9wczNjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n"
		},
		"lacks client_email or": func(m map[string]string) { delete(m, "private_key_id") },
	} {
		c := newClient(t, keyFile(t, change), nil, func(http.ResponseWriter, *http.Request) { t.Error("the API was asked") })
		err := c.Authorize(t.Context())
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || e.Class != rest.ClassAuth || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "tops3cret") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	ref := keyFile(t, nil)
	path := strings.TrimPrefix(ref.String(), "file:")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`["tops3cret"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, ref, nil, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"kind":"admin#reports#activities"}`))
	})
	if err := c.Authorize(t.Context()); err == nil || !strings.Contains(err.Error(), "is not the JSON file") || strings.Contains(err.Error(), "tops3cret") {
		t.Error(err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // it is not asked for at once again
		if err := c.Authorize(t.Context()); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestTokensThatAreRefused: each refusal of the token endpoint says what a person has to do, and holds nothing of the grant.
func TestTokensThatAreRefused(t *testing.T) {
	for word, want := range map[string]string{
		"unauthorized_client": "authorize the client id of the service account for the scope " + google.Scope,
		"access_denied":       "Domain-wide delegation",
		"invalid_grant":       "admin is the address of a user",
		"invalid_scope":       google.Scope,
		"deleted_client":      "make a new one",
		"news":                "",
	} {
		login := func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":%q,"error_description":"refused: %s"}`, word, r.FormValue("assertion"))
		}
		c := newClient(t, keyFile(t, nil), login, func(http.ResponseWriter, *http.Request) { t.Error("the API was asked") })
		err := c.Authorize(t.Context())
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || !strings.Contains(e.Action, want) || strings.Contains(err.Error(), "eyJ") {
			t.Errorf("%s: %v, want %q", word, err, want)
		}
		if word == "news" && e.Class != rest.ClassRetry || word != "news" && e.Class != rest.ClassAdmin && e.Class != rest.ClassAuth {
			t.Errorf("%s is of class %v", word, e.Class)
		}
	}
}

func refusal(reason, status string) string {
	return fmt.Sprintf(`{"error":{"code":1,"message":"no: %s","errors":[{"message":"no","domain":"global","reason":%q}],"status":%q}}`, token, reason, status)
}

// TestRefusals: each refusal is of the class that says what to do, and tells nothing of the token.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		next   string
		want   rest.Class
		action string
	}{
		{401, refusal("authError", "UNAUTHENTICATED"), "", rest.ClassAuth, "privilege Reports"},
		{401, `{}`, "", rest.ClassAuth, "privilege Reports"},
		{403, refusal("accessNotConfigured", "PERMISSION_DENIED"), "", rest.ClassAdmin, "enable the Admin SDK API"},
		{403, `{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}`, "", rest.ClassAdmin, "enable the Admin SDK API"},
		{403, refusal("insufficientPermissions", ""), "", rest.ClassAdmin, google.Scope},
		{403, refusal("forbidden", ""), "", rest.ClassAdmin, "privilege Reports"},
		{403, refusal("a new one", ""), "", rest.ClassAdmin, ""},
		{404, refusal("notFound", ""), "", rest.ClassAdmin, "edition"},
		{400, refusal("invalid", "INVALID_ARGUMENT"), "", rest.ClassWindow, ""},
		{400, refusal("invalid", "INVALID_ARGUMENT"), "stale", rest.ClassPage, ""},
		{410, refusal("expired", ""), "stale", rest.ClassPage, ""},
		{503, refusal("backendError", "UNAVAILABLE"), "", rest.ClassRetry, ""},
		{500, `<html>`, "", rest.ClassRetry, ""},
		{200, `<html>`, "", rest.ClassRetry, ""},
		{200, `[]`, "", rest.ClassRetry, ""},
		{200, `{}`, "", rest.ClassRetry, ""},
		{200, `{"kind":"admin#reports#usageReports"}`, "", rest.ClassRetry, ""},
		{200, `{"kind":"admin#reports#activities","items":{}}`, "", rest.ClassRetry, ""},
		{200, `{"kind":"admin#reports#activities","items":[`, "", rest.ClassRetry, ""},
		{200, `{"kind":"admin#reports#activities","items":[],"nextPageToken":"` + strings.Repeat("a", 70<<10) + `"}`, "", rest.ClassHostile, ""},
		{302, ``, "", rest.ClassRetry, ""},
	} {
		c := newClient(t, keyFile(t, nil), nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/")
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		})
		_, err := list(t, c, test.next)
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || e.Class != test.want || !strings.Contains(e.Action, test.action) || strings.Contains(err.Error(), token) {
			t.Errorf("status %d %.80s: %v, class %v, want %v", test.status, test.body, err, e.Class, test.want)
		}
	}
}

// TestTooManyRequests: whichever of its words and statuses Google takes, they are waited for.
func TestTooManyRequests(t *testing.T) {
	for _, test := range []struct {
		status int
		reason string
	}{{429, "rateLimitExceeded"}, {403, "userRateLimitExceeded"}, {403, "quotaExceeded"}, {503, "rateLimitExceeded"}, {429, "another"}} {
		asked := 0
		c := newClient(t, keyFile(t, nil), nil, func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked == 1 {
				w.Header().Set("Retry-After", "0.01")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(refusal(test.reason, "RESOURCE_EXHAUSTED")))
				return
			}
			_, _ = w.Write([]byte(`{"kind":"admin#reports#activities"}`))
		})
		if page, err := list(t, c, ""); err != nil || asked != 2 || len(page.Records) != 0 {
			t.Errorf("%d %s: asked %d times: %v", test.status, test.reason, asked, err)
		}
	}
}

// TestAPageTokenIsNoAddress: whatever it says, our own host is asked, and for the same.
func TestAPageTokenIsNoAddress(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer elsewhere.Close()
	for _, next := range []string{elsewhere.URL, "//" + strings.TrimPrefix(elsewhere.URL, "http://"), "x&customerId=C9other", "x#y", "../../../token", "\x00\n", "a b%26"} {
		var got, customer string
		c := newClient(t, keyFile(t, nil), nil, func(w http.ResponseWriter, r *http.Request) {
			got, customer = r.URL.Query().Get("pageToken"), r.URL.Query().Get("customerId")
			_, _ = w.Write([]byte(`{"kind":"admin#reports#activities"}`))
		})
		if _, err := list(t, c, next); err != nil || got != next || customer != "C01abc23" {
			t.Errorf("%q was sent as %q for %q: %v", next, got, customer, err)
		}
	}
}

func TestOptions(t *testing.T) {
	ref := keyFile(t, nil)
	for name, o := range map[string]google.Options{
		"no customer": {Admin: "a@b.example", Key: ref},
		"an alias":    {Customer: "my_customer", Admin: "a@b.example", Key: ref},
		"no admin":    {Customer: "C01abc23", Key: ref},
		"no key":      {Customer: "C01abc23", Admin: "a@b.example"},
		"plain HTTP":  {Customer: "C01abc23", Admin: "a@b.example", Key: ref, API: "http://admin.googleapis.example"},
		"plain login": {Customer: "C01abc23", Admin: "a@b.example", Key: ref, Login: "http://oauth2.googleapis.example"},
	} {
		if _, err := google.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzAnswers: whatever the API or the token endpoint answers, a page has what its items are, byte by byte, or there is an
// error that says what to do and holds no token.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"kind":"admin#reports#activities","items":[{"id":{"time":"2026-03-03T12:00:00Z"}}],"nextPageToken":"x"}`, false)
	f.Add(200, `{"kind":"admin#reports#activities"}`, false)
	f.Add(200, `{"items":[[],{},1,"x",null]`, false)
	f.Add(403, refusal("forbidden", "PERMISSION_DENIED"), false)
	f.Add(503, `{"error":{"errors":[{"reason":7}],"details":{}}}`, false)
	f.Add(200, `{"access_token":"ya29.x","expires_in":"9"}`, true)
	f.Add(400, `{"error":"invalid_grant","error_description":"no"}`, true)
	ref := keyFile(f, nil)
	f.Fuzz(func(t *testing.T, status int, body string, login bool) {
		if status < 200 || status > 599 || status == http.StatusTooManyRequests {
			t.Skip("no final answer")
		}
		transport := answers(func(w http.ResponseWriter, r *http.Request) {
			if at := strings.HasSuffix(r.URL.Path, "/token"); at == login {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			} else if at {
				fmt.Fprintf(w, `{"access_token":%q,"expires_in":3599}`, token)
			} else {
				_, _ = w.Write([]byte(`{"kind":"admin#reports#activities"}`))
			}
		})
		c, err := google.New(google.Options{
			Customer: "C01abc23", Admin: "ada@contoso.example", API: "http://127.0.0.1:1", Login: "http://127.0.0.1:1", Key: ref,
			Shared: rest.Shared{Transport: transport, Log: slog.New(slog.DiscardHandler), Budget: budget.New(budget.Options{PerMinute: 1 << 30})},
		})
		if err != nil {
			t.Fatal(err)
		}
		if !login {
			// What is waited for is no answer: the test would.
			for _, word := range []string{"imitExceeded", "uotaExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"} {
				if strings.Contains(body, word) || strings.Contains(body, `\u`) {
					t.Skip("it may say that there were too many")
				}
			}
		}
		s, _ := google.Lookup("admin")
		page, err := c.List(t.Context(), budget.Head, s, noon, noon.Add(time.Minute), "")
		if err == nil && !login {
			var answer struct{ Items []json.RawMessage }
			if json.Unmarshal([]byte(body), &answer) == nil && len(answer.Items) != len(page.Records) && !strings.Contains(strings.ToLower(body), `"items"`) {
				t.Errorf("%q gives %d records", body, len(page.Records))
			}
			for _, raw := range page.Records {
				if !strings.Contains(body, string(raw)) {
					t.Errorf("%q is not in %q", raw, body)
				}
			}
			return
		}
		e := (*rest.Error)(nil)
		if err != nil && (!errors.As(err, &e) || !login && strings.Contains(err.Error(), token)) {
			t.Errorf("%d %q: %v", status, body, err)
		}
	})
}

// answers is a transport.
type answers http.HandlerFunc

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	a(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}
