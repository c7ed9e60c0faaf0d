// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// TestErrorTable asks for what the service refuses.
func TestErrorTable(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1, PageSize: 2}, 4)
	r.login()
	pass(t, s, time.Minute)
	root, window := r.root(), "&startTime=2026-03-03T11:30:00&endTime=2026-03-03T12:30:00"
	tenant, _, _ := s.Credentials()
	f := func(method, address, body string, status int, code string) {
		t.Helper()
		got := r.must(method, address, body)
		if got.status != status || got.code() != code {
			t.Errorf("%s %s: %d %s, want %d %s", method, address, got.status, got.body, status, code)
		}
	}
	exchange := "contentType=Audit.Exchange"
	f("GET", root+"/subscriptions/content?"+exchange+window, "", 400, "AF20022")
	f("POST", root+"/subscriptions/stop?"+exchange, "", 400, "AF20022")
	f("POST", root+"/subscriptions/start?"+exchange, "", 200, "")
	f("POST", root+"/subscriptions/start?"+exchange, "", 400, "AF20024")
	f("POST", root+"/subscriptions/start", "", 400, "AF20001")
	f("POST", root+"/subscriptions/start?contentType=Audit.Weather", "", 400, "AF20020")
	f("POST", root+"/subscriptions/start?contentType=Exchange", "", 400, "AF20020")
	f("GET", root+"/subscriptions/list?PublisherIdentifier=me", "", 400, "AF20002")
	f("GET", strings.Replace(root, tenant, "12345678-1234-4234-8234-123456789abc", 1)+"/subscriptions/list", "", 400, "AF20010")
	f("GET", strings.Replace(root, tenant, "contoso", 1)+"/subscriptions/list", "", 400, "AF20013")

	f("GET", root+"/subscriptions/content?"+exchange+window, "", 200, "")
	f("GET", root+"/subscriptions/content?"+exchange, "", 200, "")
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-03-03&endTime=2026-03-04", "", 200, "")
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-03-03T11:30&endTime=2026-03-03T12:00", "", 200, "")
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-03-03T11:30:00", "", 400, "AF20030")
	for _, form := range []string{"2026-03-03T11:30:00Z", "2026-03-03T11:30:00.5", "yesterday"} {
		f("GET", root+"/subscriptions/content?"+exchange+"&startTime="+form+"&endTime=2026-03-03T12:00:00", "", 400, "AF20002")
	}
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-03-03T11:30:00&endTime=2026-03-03T11:30:00", "", 400, "AF20055")
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-03-02T11:30:00&endTime=2026-03-03T11:30:01", "", 400, "AF20055")
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-02-24T11:02:00&endTime=2026-02-25T11:00:00", "", 200, "")
	f("GET", root+"/subscriptions/content?"+exchange+"&startTime=2026-02-24T11:00:00&endTime=2026-02-25T11:00:00", "", 400, "AF20055")
	f("GET", root+"/subscriptions/content?"+exchange+window+"&nextPage=2026030312R1", "", 400, "AF20031")

	list := r.listing("Audit.Exchange", noon.Add(-time.Hour), noon)
	id := list[0].ContentID
	f("GET", root+"/audit/"+id, "", 200, "")
	f("GET", root+"/audit/nothing", "", 400, "AF20052")
	f("GET", root+"/audit/"+strings.Replace(id, "0", "1", 1), "", 400, "AF20050")
	digit := id[18] // of the check
	f("GET", root+"/audit/"+id[:18]+string('0'+(digit-'0'+1)%10)+id[19:], "", 400, "AF20050")
	pass(t, s, 7*24*time.Hour+2*time.Hour)
	r.login()
	f("GET", root+"/audit/"+id, "", 400, "AF20051")

	f("POST", root+"/subscriptions/stop?"+exchange, "", 200, "")
	f("GET", root+"/audit/"+id, "", 400, "AF20022")
	r.token = "x.y.z"
	f("GET", root+"/subscriptions/list", "", 401, "")
}

// TestResourcesAndLanguages reads the names of sensitive information types.
func TestResourcesAndLanguages(t *testing.T) {
	_, r := start(t, m365.Config{Seed: 1}, 1)
	r.login()
	ask := func(language string) reply {
		req, _ := http.NewRequest("GET", r.root()+"/resources/dlpSensitiveTypes", nil)
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Accept-Language", language)
		resp, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b [4096]byte
		n, _ := resp.Body.Read(b[:])
		return reply{resp.StatusCode, resp.Header, b[:n]}
	}
	if got := ask("en-US"); got.status != 200 || !strings.Contains(string(got.body), `"name":"CreditCardNumber"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := ask("en, de"); got.code() != "AF20053" {
		t.Errorf("two languages: %s", got.body)
	}
	if got := ask("?"); got.code() != "AF20054" {
		t.Errorf("no language: %s", got.body)
	}
}

// TestPages checks that pages are exactly the listing, that their links are
// absolute and good for this window only, and that they end.
func TestPages(t *testing.T) {
	for _, faults := range []string{"", "newest-first", "reorder", "reorder,newest-first", "repeat=0.5:3m,relist=0.5:2m"} {
		t.Run(faults, func(t *testing.T) {
			s, r := start(t, m365.Config{Seed: 5, PageSize: 7, MaxRecords: 2, Faults: faults}, 4)
			r.login()
			r.subscribe()
			pass(t, s, time.Minute)
			from := noon.Add(-50 * time.Minute)
			paged := r.listing("Audit.General", from, noon)
			one, whole := start(t, m365.Config{Seed: 5, PageSize: 100_000, MaxRecords: 2, Faults: faults}, 4)
			whole.login()
			whole.subscribe()
			pass(t, one, time.Minute)
			all := whole.listing("Audit.General", from, noon)
			if len(all) < 300 {
				t.Fatalf("only %d blobs", len(all))
			}
			for i := range all {
				if len(paged) != len(all) || paged[i].ContentID != all[i].ContentID || paged[i].ContentCreated != all[i].ContentCreated {
					t.Fatalf("paged listing has %d blobs, whole %d; the first difference is at %d", len(paged), len(all), i)
				}
			}
			for _, b := range all {
				at, err := time.Parse("2006-01-02T15:04:05.000Z", b.ContentCreated)
				if err != nil || at.Before(from) || !at.Before(noon) {
					t.Errorf("%s is not in the window (%v)", b.ContentCreated, err)
				}
			}
			sorted := slices.IsSortedFunc(all, func(a, b blob) int { return strings.Compare(a.ContentCreated, b.ContentCreated) })
			if sorted != (faults == "" || strings.HasPrefix(faults, "repeat")) {
				t.Errorf("in order of time: %v", sorted)
			}
		})
	}
}

// TestPageLinks follows a link too late, and with another window.
func TestPageLinks(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 5, PageSize: 7}, 4)
	r.login()
	r.subscribe()
	first := r.must("GET", r.root()+"/subscriptions/content?contentType=Audit.General&startTime=2026-03-03T11:10:00&endTime=2026-03-03T12:10:00", "")
	link := first.header.Get("NextPageUri")
	if !strings.HasPrefix(link, r.base+"/api/v1/") || !strings.Contains(link, "&nextPage=") {
		t.Fatalf("link %q", link)
	}
	if got := r.must("GET", link, ""); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := r.must("GET", strings.Replace(link, "11:10:00", "11:11:00", 1), ""); got.code() != "AF20031" {
		t.Errorf("with another window: %s", got.body)
	}
	pass(t, s, 2*time.Hour)
	r.login()
	if got := r.must("GET", link, ""); got.code() != "AF20031" {
		t.Errorf("after two hours: %s", got.body)
	}
}

// TestToken asks for tokens in the ways that a secret allows.
func TestToken(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1}, 1)
	tenant, id, secret := s.Credentials()
	f := func(path string, change url.Values, status int, kind, number string) map[string]any {
		t.Helper()
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret},
			"resource": {"https://manage.office.com"}, "scope": {"https://manage.office.com/.default"},
		}
		for k, v := range change {
			form[k] = v
		}
		got := r.must("POST", r.base+"/"+path, form.Encode())
		var answer map[string]any
		if err := json.Unmarshal(got.body, &answer); err != nil || got.status != status {
			t.Fatalf("%v: %d %s", change, got.status, got.body)
		}
		text, _ := answer["error_description"].(string)
		if kind != "" && (answer["error"] != kind || !strings.HasPrefix(text, "AADSTS"+number+": ")) {
			t.Errorf("%v: %s", change, got.body)
		}
		return answer
	}
	v1, v2 := tenant+"/oauth2/token", tenant+"/oauth2/v2.0/token"
	if a := f(v1, nil, 200, "", ""); a["expires_in"] != "3599" || a["resource"] != "https://manage.office.com" || a["expires_on"] == "" {
		t.Errorf("version 1: %v", a)
	}
	a := f(v2, nil, 200, "", "")
	if a["expires_in"] != 3599.0 || a["token_type"] != "Bearer" {
		t.Errorf("version 2: %v", a)
	}
	part := strings.Split(a["access_token"].(string), ".")
	body, err := base64.RawURLEncoding.DecodeString(part[1])
	var claims struct {
		Tid, Appid string
		Roles      []string
		Exp        int64
	}
	if err != nil || json.Unmarshal(body, &claims) != nil || claims.Tid != tenant || claims.Appid != id || len(claims.Roles) != 3 || claims.Exp != noon.Unix()+3599 {
		t.Errorf("claims: %s", body)
	}
	f("village.example/oauth2/v2.0/token", nil, 200, "", "")
	f("contoso.example/oauth2/v2.0/token", nil, 400, "invalid_request", "90002")
	f(v2, url.Values{"client_secret": {"wrong"}}, 401, "invalid_client", "7000215")
	f(v2, url.Values{"client_secret": {}}, 401, "invalid_client", "7000216")
	f(v2, url.Values{"client_id": {"12345678-1234-4234-8234-123456789abc"}}, 400, "unauthorized_client", "700016")
	f(v2, url.Values{"grant_type": {"password"}}, 400, "unsupported_grant_type", "70003")
	f(v2, url.Values{"grant_type": {}}, 400, "invalid_request", "900144")
	f(v2, url.Values{"scope": {"https://manage.office.com/ActivityFeed.Read"}}, 400, "invalid_scope", "1002012")
	f(v2, url.Values{"scope": {"https://graph.example/.default"}}, 400, "invalid_resource", "500011")

	if err := s.AddFaults("secret-rotation"); err != nil {
		t.Fatal(err)
	}
	f(v2, nil, 401, "invalid_client", "7000222")
	if _, _, now := s.Credentials(); now == secret {
		t.Error("the secret was not replaced")
	}
	_, _, secret = s.Credentials()
	f(v2, nil, 200, "", "")
	s.AddFaults("ca-block")
	f(v2, nil, 400, "invalid_grant", "53003")
	s.ClearFaults("ca-block")
	s.AddFaults("app-removed")
	f(v2, nil, 400, "unauthorized_client", "700016")
}

// TestTokenEnds looks at a token over its life, and at one that is revoked.
func TestTokenEnds(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1}, 1)
	list := func() int { return r.must("GET", r.root()+"/subscriptions/list", "").status }
	r.login()
	pass(t, s, 3598*time.Second)
	if got := list(); got != 200 {
		t.Errorf("a second before its end: %d", got)
	}
	pass(t, s, 2*time.Second)
	if got := list(); got != 401 {
		t.Errorf("after its end: %d", got)
	}
	r.login()
	pass(t, s, time.Millisecond)
	s.AddFaults("revoke-tokens")
	if got := list(); got != 401 {
		t.Errorf("revoked: %d", got)
	}
	r.login()
	if got := list(); got != 200 {
		t.Errorf("a new one: %d", got)
	}
	s.AddFaults("token-expiry=30s")
	r.login()
	pass(t, s, 31*time.Second)
	if got := list(); got != 401 {
		t.Errorf("after the 30 seconds of the fault: %d", got)
	}
}

// TestRoles takes away one role at a time.
func TestRoles(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1, Subscribed: true}, 1)
	f := func(contentType, code string) {
		t.Helper()
		got := r.must("GET", r.root()+"/subscriptions/content?contentType="+contentType, "")
		if got.code() != code {
			t.Errorf("%s: %s, want %q", contentType, got.body, code)
		}
	}
	s.AddFaults("no-role=ActivityFeed.ReadDlp")
	r.login()
	f("DLP.All", "AF10001")
	f("Audit.Exchange", "")
	s.ClearFaults()
	s.SetRoles(m365.RoleReadDLP)
	f("DLP.All", "AF10001") // roles are frozen into the token
	r.login()
	f("DLP.All", "")
	f("Audit.Exchange", "AF10001")
}

// TestThrottle spends the quota, waits, and is heard again.
func TestThrottle(t *testing.T) {
	now := noon
	s, err := m365.NewVillage(m365.Config{Seed: 1, Start: noon, Quota: 10, Subscribed: true}, 1, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, s)
	r.login()
	list := func(publisher string) reply {
		return r.must("GET", r.root()+"/subscriptions/list"+publisher, "")
	}
	const own = "?PublisherIdentifier=12345678-1234-4234-8234-123456789abc"
	for range 10 {
		if got := list(""); got.status != 200 {
			t.Fatalf("within the quota: %d", got.status)
		}
	}
	got := list("")
	if got.status != 403 || got.code() != "AF429" || !strings.Contains(string(got.body), "Method=GET, PublisherId=00000000-0000-0000-0000-000000000000") {
		t.Errorf("beyond it: %d %s", got.status, got.body)
	}
	if got := list(own); got.status != 200 {
		t.Errorf("another publisher: %d", got.status)
	}
	now = now.Add(7 * time.Second) // a tenth of a minute gives one
	if got := list(""); got.status != 200 {
		t.Errorf("after seven seconds: %d", got.status)
	}
	s.AddFaults("status-429,retry-after=30s,noisy=0.6")
	now = now.Add(time.Minute)
	good := 0
	for list("").status == 200 {
		good++
	}
	if good != 4 {
		t.Errorf("beside a neighbor who spends 60 %%: %d of 10", good)
	}
	s.ResetRequests()
	if got := list(""); got.status != 429 || got.header.Get("Retry-After") != "30" {
		t.Errorf("%d %v", got.status, got.header)
	}
	now = now.Add(29 * time.Second)
	list(own)
	now = now.Add(31 * time.Second)
	list(own)
	if got := s.Requests(); got.Early != 2 || got.Operations["list"] != 3 || got.Refused["list AF429"] != 1 {
		t.Errorf("%+v", got)
	}
}

// TestDate reads the clock off the answers.
func TestDate(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1}, 1)
	f := func(want string) {
		t.Helper()
		if got := r.must("GET", r.base+"/nothing", "").header.Get("Date"); got != want {
			t.Errorf("Date: %q, want %q", got, want)
		}
	}
	f("Tue, 03 Mar 2026 12:00:00 GMT")
	pass(t, s, 26*time.Hour)
	f("Wed, 04 Mar 2026 14:00:00 GMT")
	s.AddFaults("skew=-10m")
	f("Wed, 04 Mar 2026 13:50:00 GMT")
	s.AddFaults("no-date")
	f("")
	s.ClearFaults()
	f("Wed, 04 Mar 2026 14:00:00 GMT")
}

// TestSubscriptionLosesWhatItMissed stops a subscription, and looks for what
// was created meanwhile.
func TestSubscriptionLosesWhatItMissed(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1, Backfill: 10 * time.Minute}, 4)
	r.login()
	r.subscribe()
	pass(t, s, 10*time.Minute)
	r.must("POST", r.root()+"/subscriptions/stop?contentType=Audit.Exchange", "")
	pass(t, s, 10*time.Minute)
	r.subscribe()
	pass(t, s, 10*time.Minute)
	var before, meanwhile int
	for _, b := range r.listing("Audit.Exchange", noon.Add(-time.Hour), noon.Add(time.Hour)) {
		at, _ := time.Parse(time.RFC3339, b.ContentCreated)
		if at.Before(noon.Add(-10 * time.Minute)) {
			before++
		}
		if !at.Before(noon.Add(10*time.Minute)) && at.Before(noon.Add(20*time.Minute)) {
			meanwhile++
		}
	}
	if before > 0 || meanwhile > 0 {
		t.Errorf("%d blobs from before the back-fill, %d from while it was off", before, meanwhile)
	}
	compare(t, r.everything(s.Begin()), ledger(t, s, time.Time{}, time.Time{}, time.Time{}))
	if err := s.AddFaults("disable=Exchange"); err != nil {
		t.Fatal(err)
	}
	got := r.must("GET", r.root()+"/subscriptions/content?contentType=Audit.Exchange", "")
	if got.code() != "AF20023" || !strings.Contains(string(got.body), "a tenant admin") {
		t.Errorf("%s", got.body)
	}
	if list := string(r.must("GET", r.root()+"/subscriptions/list", "").body); !strings.Contains(list, `{"contentType":"Audit.Exchange","status":"disabled","webhook":null}`) {
		t.Errorf("%s", list)
	}
}

// TestSwitchingKeepsThePast switches faults while time passes: what was offered
// before reads the same.
func TestSwitchingKeepsThePast(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 9, MaxRecords: 2, History: 5 * time.Minute, Faults: "late=0.3:1m,repeat=0.3:2m,mutate=0.2:1m"}, 4)
	r.login()
	r.subscribe()
	pass(t, s, 5*time.Minute)
	end := s.Now()
	snapshot := func() map[key]m365.Entry { return ledger(t, s, time.Time{}, end, end) }
	before := snapshot()
	for _, change := range []func() error{
		func() error { return s.ClearFaults("late") },
		func() error {
			return s.AddFaults("late=0.9:3m,empty-id=0.5,huge-record=32KB:0.5,shuffle-keys=1,backdate=1:1h")
		},
		func() error { return s.ClearFaults() },
		func() error { return s.AddFaults("silent=Exchange,poison-page=1:always") },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		pass(t, s, 3*time.Minute)
		after := snapshot()
		if len(after) != len(before) || len(before) < 150 {
			t.Fatalf("%d records before, %d after", len(before), len(after))
		}
		for k, e := range before {
			if got := after[k]; got.ContentID != e.ContentID || !got.Created.Equal(e.Created) || !got.Visible.Equal(e.Visible) {
				t.Fatalf("was %+v, is %+v", e, got)
			}
		}
	}
}

// TestForeignHost follows a link that leads elsewhere, as a careless client
// would, and finds the token in the count.
func TestForeignHost(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 5, PageSize: 7, Faults: "foreign-link=evil.test:always,foreign-uri=evil.test:1"}, 4)
	r.login()
	r.subscribe()
	got := r.must("GET", r.root()+"/subscriptions/content?contentType=Audit.General&startTime=2026-03-03T11:10:00&endTime=2026-03-03T12:10:00", "")
	var list []blob
	if err := json.Unmarshal(got.body, &list); err != nil || !strings.HasPrefix(list[0].ContentURI, "http://evil.test/") {
		t.Fatalf("%v %s", err, got.body)
	}
	link := got.header.Get("NextPageUri")
	if !strings.HasPrefix(link, "http://evil.test/") {
		t.Fatalf("link %q", link)
	}
	if n := s.Requests().Bearers["evil.test"]; n != 0 {
		t.Errorf("%d tokens before anybody sent one", n)
	}
	req, _ := http.NewRequest("GET", strings.Replace(link, "http://evil.test", r.base, 1), nil)
	req.Host = "evil.test"
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n := s.Requests().Bearers["evil.test"]; n != 1 {
		t.Errorf("%d tokens were seen at the foreign host, want 1", n)
	}
}

// TestRealCompany holds the ledger against the company's own enumeration, an
// attack included.
func TestRealCompany(t *testing.T) {
	s, err := m365.New(m365.Config{
		Seed: 4, Start: noon, Paused: true, History: 10 * time.Minute, Subscribed: true, Quota: 1 << 20,
		Company: company.Config{People: 400}, Faults: "late=0.02:1m,empty-id=0.01,shuffle-keys=0.5,repeat=0.1:1m",
	})
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, s)
	pass(t, s, 10*time.Minute)
	r.login()
	truth := ledger(t, s, time.Time{}, time.Time{}, time.Time{})
	compare(t, r.everything(s.Begin()), truth)
	ids := map[string]bool{}
	for k, e := range truth {
		ids[k.id] = true
		if k.id == "" && !slices.Contains(e.Marks, "empty-id") {
			t.Fatalf("an empty id without a mark: %+v", e)
		}
	}
	co := s.Company()
	missing, all := 0, 0
	settled := s.Now().Add(-2 * time.Minute)
	for _, st := range company.Streams {
		for slot := co.Slot(s.Begin()); co.Start(slot).Before(settled); slot++ {
			for i := range co.Count(st, slot) {
				all++
				if !ids[string(co.AppendID(nil, company.Ref{Stream: st, Slot: slot, Index: i}))] {
					missing++
				}
			}
		}
	}
	empty := 0
	for k := range truth {
		if k.id == "" {
			empty++
		}
	}
	if all < 500 || missing > empty || len(truth) < all {
		t.Errorf("%d events happened, the ledger has %d; %d ids are missing, %d ids are empty", all, len(truth), missing, empty)
	}
}
