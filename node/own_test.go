// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
)

// signIn is a service principal's sign-in of a day of March 2026.
func signIn(day int, app, address string) string {
	return fmt.Sprintf(`{"id":"%02d-%s-%s","createdDateTime":"2026-03-%02dT09:00:00Z","appId":%q,"ipAddress":%q,"servicePrincipalId":"0e57395a-ce70-4a63-9dd6-cf3c83521e8d","signInEventTypes":["servicePrincipal"],"status":{"errorCode":0}}`,
		day, app[:8], address, day, app, address) + "\n"
}

// TestOwnApplications: the rules know the applications of the sources that there are now. A source that comes with a
// reload is known at once, what was learned of another one is not forgotten for it, and a backtest knows them too.
func TestOwnApplications(t *testing.T) {
	const first, second = "66666666-7777-8888-9999-000000000000", "aaaaaaaa-7777-8888-9999-000000000000"
	c := sourcesOf(t, "contoso")
	n, err := node.Open(t.Context(), node.Options{Dir: t.TempDir(), Role: "import", Config: c, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNode(t, n)
	told := func(want map[string]int) {
		t.Helper()
		alerts, err := n.Alerts(t.Context(), incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, a := range alerts {
			got[a.Title]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("alerts: (-want +got)\n%s", diff)
		}
	}
	var usual strings.Builder
	for day := 1; day <= 10; day++ {
		usual.WriteString(signIn(day, first, "192.0.2.10"))
	}
	take(t, n, []byte(usual.String()+signIn(10, second, "203.0.113.9")))
	told(map[string]int{})

	c.Sources = append(c.Sources, c.Sources[0])
	c.Sources[1].Name, c.Sources[1].Type, c.Sources[1].ClientID, c.Sources[1].Addresses = "fabrikam", "entra", second, []string{"192.0.2.0/24"}
	if _, err := n.Configure(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	take(t, n, []byte(signIn(11, first, "192.0.2.10")+signIn(11, second, "192.0.2.77")))
	told(map[string]int{})
	take(t, n, []byte(signIn(12, first, "203.0.113.9")+signIn(12, second, "203.0.113.9")))
	want := map[string]int{"The application that logs are read with is used from a new address": 1, "The application that logs are read with is used from elsewhere": 1}
	told(want)

	book, err := n.OpenTexts([]detect.Text{{Name: "own.yml", Text: "title: Ours\nlogsource: {product: azure}\ndetection: {s: {appId|expand: '%daybreak_applications%', ipAddress: 203.0.113.9}, condition: s}\n"}})
	if err != nil || len(book.Problems) > 0 {
		t.Fatal(err, book.Problems)
	}
	found, err := n.Backtest(t.Context(), book, time.Time{}, time.Time{})
	if err != nil || found.Hits != 3 {
		t.Errorf("a backtest finds %d of 3, %v", found.Hits, err)
	}
}

// TestOwnActs: what an application of ours does from where it belongs can be left out of a search; what somebody does with its credential
// cannot, and neither what nobody has said from where it comes. It goes by the configuration of now, and by that with which the record came.
func TestOwnActs(t *testing.T) {
	const app, other = "66666666-7777-8888-9999-000000000000", "aaaaaaaa-7777-8888-9999-000000000000"
	c := sourcesOf(t, "contoso")
	c.Sources[0].Addresses = []string{"192.0.2.10", "2001:db8::/32"}
	n, err := node.Open(t.Context(), node.Options{Dir: t.TempDir(), Role: "import", Config: c, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNode(t, n)
	take(t, n, []byte(signIn(1, app, "192.0.2.10")+signIn(2, app, "2001:db8::7")+signIn(3, app, "203.0.113.9")+signIn(4, other, "192.0.2.10")+signIn(5, other, "203.0.113.9")))
	count := func(text string, want int) {
		t.Helper()
		found, err := n.Search(t.Context(), node.Query{Text: text, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if found.Len() != want || found.Truncated {
			t.Errorf("%s finds %d, want %d", text, found.Len(), want)
		}
	}
	const all = "family:entra-signin "
	count(all, 5)
	count(all+"own:yes", 2)
	count(all+"own:no", 3)
	count(all+"-own:no", 2)
	count(all+"own:no ip:203.0.113.9", 2)
	count(all+"own:yes OR ip:203.0.113.9", 4)
	count(all+"enrichments.type:own", 2)
	by := func(text, want string) {
		t.Helper()
		found, err := n.Search(t.Context(), node.Query{Text: all + text, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for i := range found.Len() {
			got = found.AppendRow(got, i)
		}
		if string(got) != want {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
	by("| count by own", `{"own":false,"count":3}{"own":true,"count":2}`)
	by("ip:192.0.2.10 | count by ip, own", `{"ip":"192.0.2.10","own":false,"count":1}{"ip":"192.0.2.10","own":true,"count":1}`)
	by("own:yes | count by own", `{"own":true,"count":2}`)

	c.Sources[0].Addresses = nil
	if _, err := n.Configure(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	take(t, n, []byte(signIn(6, app, "203.0.113.9")))
	count(all+"own:yes ip:203.0.113.9", 2)
	c.Sources = nil
	if _, err := n.Configure(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	count(all+"own:yes", 0)
	count(all+"own:no", 6)
	by("| count by own", `{"own":false,"count":6}`)
}
