// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// directory is a token endpoint and an API that accepts what it gave, on a clock of its
// own. It lives in a bubble.
type directory struct {
	secret string // that it accepts
	life   time.Duration
	speed  float64       // of its clock
	ahead  time.Duration // of ours, at the beginning
	begun  time.Time
	path   string // of the client's secret
	token  func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	asked    []time.Duration // the token endpoint, since the beginning
	calls    int             // to the API
	refused  int             // of them
	valid    map[string]time.Time
	log      lines
	revoking func(call int) bool
}

func newDirectory() *directory {
	return &directory{secret: secret, life: 3599 * time.Second, speed: 1, begun: time.Now(), valid: map[string]time.Time{}}
}

func (d *directory) now() time.Time {
	return d.begun.Add(d.ahead + time.Duration(float64(time.Since(d.begun))*d.speed))
}

func (d *directory) client(t *testing.T) *m365.Client {
	t.Helper()
	ref := secretFile(t, d.secret)
	d.path = strings.TrimPrefix(ref.String(), "file:")
	c, err := m365.New(m365.Options{
		Tenant: tenant, ClientID: app, Credential: credential.FromSecret(ref),
		Shared: rest.Shared{Transport: handler(d.serve), Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: slog.New(slog.NewTextHandler(&d.log, nil))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (d *directory) serve(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("Date", d.now().UTC().Format(http.TimeFormat))
	if strings.HasSuffix(r.URL.Path, "/token") {
		d.asked = append(d.asked, time.Since(d.begun))
		if d.token != nil && d.token(w, r) {
			return
		}
		if r.FormValue("client_secret") != d.secret {
			w.WriteHeader(401)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided: %s","error_codes":[7000215],"trace_id":"x"}`, r.FormValue("client_secret"))
			return
		}
		text := jwt(len(d.asked), "ActivityFeed.Read")
		d.valid[text] = d.now().Add(d.life)
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":%d,"access_token":%q}`, int(d.life.Seconds()), text)
		return
	}
	d.calls++
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if d.revoking != nil && d.revoking(d.calls) {
		clear(d.valid)
	}
	if !d.now().Before(d.valid[text]) {
		d.refused++
		w.WriteHeader(401)
		return
	}
	io.WriteString(w, "[]")
}

func list(ctx context.Context, c *m365.Client) error {
	_, err := c.Subscriptions(ctx, budget.Head)
	return err
}

func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		c := d.client(t)
		for range 12 * 60 {
			if err := list(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if d.refused != 0 {
			t.Errorf("%d calls were made with a token that had ended", d.refused)
		}
		if want := int(12 * time.Hour / (3599 * time.Second * 7 / 10)); len(d.asked) < want-2 || len(d.asked) > want+2 {
			t.Errorf("%d tokens in half a day, want about %d", len(d.asked), want)
		}
	})
}

// TestRenewalFollowsTheProvidersClock: at a thousand times our speed tokens end a thousand
// times as soon.
func TestRenewalFollowsTheProvidersClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.speed, d.ahead = 1000, 30*24*time.Hour
		c := d.client(t)
		for range 1000 {
			if err := list(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
		}
		if d.refused > 2 { // before the speed is known
			t.Errorf("%d calls were made with a token that had ended", d.refused)
		}
		if want := 24; len(d.asked) < want-6 || len(d.asked) > want+6 {
			t.Errorf("%d tokens in a minute, want about %d", len(d.asked), want)
		}
	})
}

// TestAProviderClockThatJumps makes tokens look old, or young; neither may end in a flood
// or in a standstill.
func TestAProviderClockThatJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		c := d.client(t)
		for i := range 600 {
			d.mu.Lock()
			switch i {
			case 100:
				d.ahead = 10 * time.Hour
			case 200:
				d.ahead = -10 * time.Hour
			}
			if i > 300 {
				d.ahead = time.Duration(i%3) * time.Hour * 5 // each answer from another machine
			}
			d.mu.Unlock()
			if err := list(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if len(d.asked) > 70 {
			t.Errorf("%d tokens in a minute", len(d.asked))
		}
	})
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.revoking = func(call int) bool { return call == 5 || call == 10 }
		c := d.client(t)
		for range 20 {
			if err := list(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if len(d.asked) != 3 || d.calls != 22 {
			t.Errorf("%d tokens, %d calls; want 3 and 22", len(d.asked), d.calls)
		}
	})
}

// TestOneRenewalServesAll: when a token is revoked, those who are under way share the new one.
func TestOneRenewalServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.token = func(w http.ResponseWriter, r *http.Request) bool {
			d.mu.Unlock()
			time.Sleep(3 * time.Second)
			d.mu.Lock()
			return false
		}
		c := d.client(t)
		for round := range 2 {
			var wg sync.WaitGroup
			for range 32 {
				wg.Go(func() {
					if err := list(t.Context(), c); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if len(d.asked) != round+1 {
				t.Errorf("%d tokens asked for, want %d", len(d.asked), round+1)
			}
			clear(d.valid)
		}
	})
}

func TestRenewalHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		c := d.client(t)
		if err := list(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		d.token = func(http.ResponseWriter, *http.Request) bool {
			d.mu.Unlock()
			time.Sleep(20 * time.Second)
			d.mu.Lock()
			return false
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { _ = list(t.Context(), c) })
		synctest.Wait()
		begun := time.Now()
		if err := list(t.Context(), c); err != nil || time.Since(begun) > 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestATokenThatIsNeverAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.revoking = func(int) bool { return true }
		c := d.client(t)
		begun := time.Now()
		for time.Since(begun) < 20*time.Minute {
			err := list(t.Context(), c)
			if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassAuth || e.Action == "" {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if len(d.asked) < 20 || len(d.asked) > 100 {
			t.Errorf("%d tokens asked for in twenty minutes", len(d.asked))
		}
	})
}

// TestASecretIsRotatedWithoutARestart: it ends, nothing works, it is replaced, all goes on.
func TestASecretIsRotatedWithoutARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		c := d.client(t)
		if err := list(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		d.secret = "the-new-secret-of-the-application"
		d.mu.Unlock()
		// The old token lives on: nothing is lost when a secret is replaced in time.
		time.Sleep(50 * time.Minute)
		if err := list(t.Context(), c); err != nil {
			t.Fatalf("the token was good for ten minutes more: %v", err)
		}
		if !strings.Contains(d.log.String(), "token not renewed") {
			t.Error("nobody is told that the token could not be renewed")
		}
		time.Sleep(10 * time.Minute)
		var e *m365.Error
		for range 100 { // whoever asks without pause must not make us do so
			err := list(t.Context(), c)
			if !errors.As(err, &e) || e.Class != m365.ClassAuth || e.Code != "AADSTS7000215" || !strings.Contains(e.Action, "not its id") || strings.Contains(err.Error(), secret) {
				t.Fatal(err)
			}
		}
		if len(d.asked) > 3 {
			t.Errorf("the endpoint was asked %d times", len(d.asked))
		}
		if e.RetryAfter <= 0 || e.RetryAfter > time.Minute {
			t.Errorf("try again after %v", e.RetryAfter)
		}
		if err := os.WriteFile(d.path, []byte(d.secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(e.RetryAfter + time.Second)
		if err := list(t.Context(), c); err != nil {
			t.Errorf("after the rotation: %v", err)
		}
		if strings.Contains(d.log.String(), secret) || strings.Contains(d.log.String(), d.secret) {
			t.Error("a secret is in the log")
		}
	})
}

// TestTheEndpointIsNotFlooded: however often somebody asks, failures make pauses that grow.
func TestTheEndpointIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.token = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
		c := d.client(t)
		for range 6000 {
			if err := list(t.Context(), c); err == nil {
				t.Fatal("no token, and no error")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if len(d.asked) < 15 || len(d.asked) > 40 {
			t.Errorf("asked %d times in ten minutes", len(d.asked))
		}
		d.token = nil
		time.Sleep(40 * time.Second)
		if err := list(t.Context(), c); err != nil {
			t.Error(err)
		}
	})
}

// TestAMachineWhoseClockIsWrong signs with the provider's time as soon as it has heard it.
func TestAMachineWhoseClockIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.ahead = 3 * time.Hour
		cred := certificateCredential(t)
		c, err := m365.New(m365.Options{Tenant: tenant, ClientID: app, Credential: cred, Shared: rest.Shared{Transport: handler(d.serve)}})
		if err != nil {
			t.Fatal(err)
		}
		d.token = func(w http.ResponseWriter, r *http.Request) bool {
			parts := strings.Split(r.FormValue("client_assertion"), ".")
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
			var nbf, exp int64
			fmt.Sscanf(string(payload[strings.Index(string(payload), `"exp":`):]), `"exp":%d`, &exp)
			fmt.Sscanf(string(payload[strings.Index(string(payload), `"nbf":`):]), `"nbf":%d`, &nbf)
			if now := d.now().Unix(); now < nbf || now >= exp {
				w.WriteHeader(401)
				io.WriteString(w, `{"error":"invalid_client","error_codes":[700024]}`)
				return true
			}
			d.secret = "" // no secret is sent
			return false
		}
		err = list(t.Context(), c)
		if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Code != "AADSTS700024" || !strings.Contains(e.Action, "clock") {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if err := list(t.Context(), c); err != nil {
			t.Error(err)
		}
		if skew := c.Skew(); skew < 3*time.Hour-2*time.Second || skew > 3*time.Hour+2*time.Second {
			t.Errorf("skew %v", skew)
		}
	})
}

func TestCancelingOneCallerLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.token = func(w http.ResponseWriter, r *http.Request) bool {
			d.mu.Unlock()
			defer d.mu.Lock()
			select {
			case <-time.After(5 * time.Second):
				return false
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
		c := d.client(t)
		c2 := make(chan error, 2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			defer func() { _ = recover() }()
			c2 <- list(ctx, c)
		}()
		synctest.Wait()
		short, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		if err := list(short, c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one who waits for the other: %v", err)
		}
		if err := list(t.Context(), c); err != nil {
			t.Errorf("one who waits longer: %v", err)
		}
	})
}

func TestRoles(t *testing.T) {
	for name, c := range map[string]struct {
		token string
		roles string
		says  string
	}{
		"two":        {jwt(1, "ActivityFeed.Read", "ActivityFeed.ReadDlp"), "[ActivityFeed.Read ActivityFeed.ReadDlp]", ""},
		"none":       {jwt(1), "[]", ""},
		"opaque":     {"abcdef", "[]", "no JWT"},
		"not base64": {"a.!!!.c", "[]", "not base64"},
		"not JSON":   {"a.AAAA.c", "[]", "not JSON"},
		"odd":        {"a." + base64.RawURLEncoding.EncodeToString([]byte(`{"roles":"x"}`)) + ".c", "[]", "not JSON"},
		"padded":     {"a." + base64.URLEncoding.EncodeToString([]byte(`{"roles":["x\n"]}`)) + ".c", "[x]", ""},
	} {
		s := newService(t, func(w http.ResponseWriter, r *http.Request) {})
		s.token = func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"access_token":%q}`, c.token) }
		roles, err := s.client(t).Roles(t.Context())
		if fmt.Sprint(roles) != c.roles || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, roles, err)
		}
	}
}

// TestRolesAreThoseOfNow: a role that was granted after the token was made is seen.
func TestRolesAreThoseOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c, err := m365.New(m365.Options{Tenant: tenant, ClientID: app, Credential: credential.FromSecret(secretFile(t, secret)), Shared: rest.Shared{Transport: handler(func(w http.ResponseWriter, r *http.Request) {
			if n++; strings.HasSuffix(r.URL.Path, "/token") {
				fmt.Fprintf(w, `{"access_token":%q}`, jwt(n, fmt.Sprint("role", n)))
			}
		})}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"[role1]", "[role1]", "[role2]"} {
			if roles, err := c.Roles(t.Context()); err != nil || fmt.Sprint(roles) != want {
				t.Errorf("%d: %v, %v; want %s", i, roles, err, want)
			}
			time.Sleep(6 * time.Second)
		}
	})
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	good := jwt(1)
	for name, c := range map[string]struct {
		status int
		body   string
		says   string // "": the token is taken
		class  m365.Class
	}{
		"v2":             {200, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"` + good + `"}`, "", 0},
		"v1":             {200, `{"token_type":"Bearer","expires_in":"3599","expires_on":"1700000000","resource":"x","access_token":"` + good + `"}`, "", 0},
		"no type":        {200, `{"access_token":"` + good + `","expires_in":1e9}`, "", 0},
		"odd life":       {200, `{"access_token":"` + good + `","expires_in":"soon"}`, "", 0},
		"negative life":  {200, `{"access_token":"` + good + `","expires_in":-5}`, "", 0},
		"NaN life":       {200, `{"access_token":"` + good + `","expires_in":"NaN"}`, "", 0},
		"object life":    {200, `{"access_token":"` + good + `","expires_in":{}}`, "", 0},
		"HTML":           {200, "<html>" + good, "not the JSON", m365.ClassRetry},
		"empty":          {200, "", "not the JSON", m365.ClassRetry},
		"cut":            {200, `{"access_token":"` + good, "not the JSON", m365.ClassRetry},
		"no token":       {200, `{"token_type":"Bearer"}`, "no access_token", m365.ClassRetry},
		"token object":   {200, `{"access_token":{}}`, "not the JSON", m365.ClassRetry},
		"line in token":  {200, `{"access_token":"a\r\nX-Evil: 1"}`, "characters that no token has", m365.ClassRetry},
		"space in token": {200, `{"access_token":"a b"}`, "characters that no token has", m365.ClassRetry},
		"other type":     {200, `{"token_type":"mac","access_token":"` + good + `"}`, "not Bearer", m365.ClassRetry},
		"huge token":     {200, `{"access_token":"` + strings.Repeat("a", 70<<10) + `"}`, "more than 64 KiB", m365.ClassRetry},
		"huge answer":    {200, `{"x":"` + strings.Repeat("a", 2<<20) + `"}`, "longer than 1 MiB", m365.ClassHostile},
		"redirect":       {302, "", "not what a token endpoint says", m365.ClassRetry},
		"500":            {500, "<html>oops</html>", "not what a token endpoint says", m365.ClassRetry},
		"unknown word":   {400, `{"error":"out_of_cheese","error_description":"Redo."}`, "out_of_cheese: Redo.", m365.ClassRetry},
		"no word":        {400, `{}`, "status 400", m365.ClassRetry},
		"odd codes":      {400, `{"error":"invalid_client","error_codes":"x"}`, "invalid_client", m365.ClassAuth},
		"echo":           {400, `{"error":"invalid_request","error_description":"you sent client_secret=` + secret + ` and ` + good + `"}`, "you sent client_secret=[redacted]", m365.ClassAdmin},
		"echo in HTML":   {502, "<p>POST body: client_secret=" + secret + " " + good + "</p>", "not what a token endpoint says", m365.ClassRetry},
	} {
		s := newService(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+good || r.Header.Get("X-Evil") != "" {
				t.Errorf("%s: headers %v", name, r.Header)
			}
			io.WriteString(w, "[]")
		})
		s.token = func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("client_id") != app || r.Form.Get("client_secret") != secret || r.Form.Get("scope") != "https://manage.office.com/.default" {
				t.Errorf("%s: form %v, %v", name, r.Form, err)
			}
			w.Header().Set("Location", s.URL+"/elsewhere")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}
		err := list(t.Context(), s.client(t))
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var e *m365.Error
		if !errors.As(err, &e) || e.Op != "token" || e.Class != c.class || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, want %q", name, err, c.says)
			continue
		}
		if all := err.Error() + string(e.Sample) + s.log.String(); strings.Contains(all, secret) || strings.Contains(all, good[:30]) || len(e.Sample) > 512 {
			t.Errorf("%s: %s", name, all)
		}
	}
}

// TestEveryRefusalOfTheTokenEndpoint is the table of words and numbers, once more.
func TestEveryRefusalOfTheTokenEndpoint(t *testing.T) {
	auth, admin, retry := m365.ClassAuth, m365.ClassAdmin, m365.ClassRetry
	words := map[string]m365.Class{
		"invalid_client": auth, "invalid_grant": auth, "unauthorized_client": auth,
		"invalid_request": admin, "invalid_scope": admin, "invalid_resource": admin, "invalid_target": admin, "access_denied": admin,
		"consent_required": admin, "interaction_required": admin, "unsupported_grant_type": admin,
		"slow_down": retry, "temporarily_unavailable": retry, "server_error": retry,
	}
	numbers := map[int64]string{
		50013: "registered", 53003: "conditional access", 65001: "consent", 70021: "federated credential", 90002: "correct tenant", 90013: "tenant and client id",
		500011: "check plan", 500341: "deleted", 700016: "client id", 700024: "clock", 700027: "upload", 700211: "issuer", 700213: "subject",
		7000112: "disabled", 7000215: "not its id", 7000222: "expired", 7000229: "consent", 7000272: "not allowed",
	}
	knownWords, knownNumbers := rest.OAuthCodes()
	for _, w := range knownWords {
		if _, ok := words[w]; !ok {
			t.Errorf("%s is not tested", w)
		}
	}
	for _, n := range knownNumbers {
		if _, ok := numbers[n]; !ok {
			t.Errorf("%d is not tested", n)
		}
	}
	refuse := func(body string) *m365.Error {
		s := newService(t, nil)
		s.token = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(400)
			io.WriteString(w, body)
		}
		var e *m365.Error
		if err := list(t.Context(), s.client(t)); !errors.As(err, &e) {
			t.Fatalf("%s: %v", body, err)
		}
		return e
	}
	for word, class := range words {
		e := refuse(`{"error":"` + word + `","error_codes":[1,2]}`)
		if e.Code != word || e.Class != class || (e.Action == "") != (class == retry) || e.RetryAfter != 7*time.Second || e.Status != 400 {
			t.Errorf("%s: %+v", word, e)
		}
	}
	for number, says := range numbers {
		e := refuse(fmt.Sprintf(`{"error":"invalid_client","error_description":"x","error_codes":[%d]}`, number))
		if e.Code != fmt.Sprintf("AADSTS%d", number) || e.Class != auth || !strings.Contains(e.Action, says) {
			t.Errorf("%d: %+v", number, e)
		}
	}
}

func TestACredentialThatCannotBeRead(t *testing.T) {
	s := newService(t, nil)
	ref, err := credential.ParseReference("env:DAYBREAK_TEST_UNSET")
	if err != nil {
		t.Fatal(err)
	}
	err = list(t.Context(), s.client(t, func(o *m365.Options) { o.Credential = credential.FromSecret(ref) }))
	if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassAuth || !strings.Contains(err.Error(), "env:DAYBREAK_TEST_UNSET") || !strings.Contains(err.Error(), "without a restart") {
		t.Error(err)
	}
	if s.tokens() != 0 {
		t.Error("the endpoint was asked without a credential")
	}
}

func TestPausesOfTheEndpointGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory()
		d.token = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
		c := d.client(t)
		for range 3000 {
			_ = list(t.Context(), c)
			time.Sleep(100 * time.Millisecond)
		}
		var pauses []time.Duration
		for i := range d.asked[1:] {
			pauses = append(pauses, d.asked[i+1]-d.asked[i])
		}
		if !slices.IsSorted(pauses[:4]) || pauses[0] < time.Second || slices.Max(pauses) > 37*time.Second {
			t.Errorf("pauses %v", pauses)
		}
	})
}
