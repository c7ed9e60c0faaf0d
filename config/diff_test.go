// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/config"
)

const source = `
[[source]]
name = "contoso"
type = "m365"
tenant = "11111111-2222-3333-4444-55555555abcd"
client_id = "66666666-7777-8888-9999-00000000abcd"
`

const hooked = `
[[notify]]
name = "soar"
kind = "webhook"
url = "https://hooks.example.com/in/hunter2"
secret = "env:KEY"
`

func snapshot(t *testing.T, text string) config.Snapshot {
	t.Helper()
	c, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Snapshot()
}

func TestChanges(t *testing.T) {
	const hook = "[source.webhook]\nurl = \"https://a.example/hook/m365/contoso\"\nauth_id = \"env:HOOK\"\n"
	for _, c := range []struct{ name, before, after, want string }{
		{"nothing", source + `client_secret = "env:A"`, source + `client_secret = "env:A"` + "\npoll = \"3s\"", ""},
		{"a setting", "[retention]\nraw_days = 5", "[retention]\nraw_days = 6\n[log]\nlevel = \"debug\"", `
log.level: "info" → "debug"
retention.raw_days: 5 → 6`},
		{
			"a source's setting", source + `client_secret = "env:A"`,
			source + "certificate = \"file:a.pem\"\nstreams = [\"DLP.All\"]\npoll = \"9s\"", `
source.contoso.certificate: none → file:a.pem
source.contoso.client_secret: env:A → none
source.contoso.poll: 3s → 9s
source.contoso.streams: [Audit.AzureActiveDirectory, Audit.Exchange, Audit.SharePoint, Audit.General, DLP.All] → [DLP.All]`,
		},
		{"a webhook comes", source + `client_secret = "env:A"`, source + "client_secret = \"env:A\"\n" + hook, `
source.contoso.webhook.auth_id: env:HOOK
source.contoso.webhook.url: "https://a.example/hook/m365/contoso"`},
		{"a webhook goes", source + "client_secret = \"env:A\"\n" + hook, source + `client_secret = "env:A"`, `
source.contoso.webhook.auth_id: env:HOOK is gone
source.contoso.webhook.url: "https://a.example/hook/m365/contoso" is gone`},
		{
			"arguments of commands are not told", source + `client_secret = "command:/bin/vault -token=hunter2"`,
			source + `client_secret = 'command:["/bin/vault","-password","hunter2"]'`, `
source.contoso.client_secret: command:/bin/vault … → command:/bin/vault … with other arguments`,
		},
		{"a program", source + `client_secret = "command:/bin/a"`, source + `client_secret = "command:/bin/b x"`, `
source.contoso.client_secret: command:/bin/a → command:/bin/b …`},
		{"a channel comes", "", hooked, `
notify.soar.from: ""
notify.soar.hosts: []
notify.soar.kind: "webhook"
notify.soar.level: "medium"
notify.soar.name: "soar"
notify.soar.secret: env:KEY
notify.soar.server: ""
notify.soar.to: []
notify.soar.url: https://hooks.example.com/ …
notify.soar.user: ""`},
		{"the paths of channels are not told", hooked, strings.Replace(hooked, "hunter2", "hunter3", 1), `
notify.soar.url: https://hooks.example.com/ … → https://hooks.example.com/ … with another path`},
		{"a channel's setting", hooked, strings.Replace(hooked, "/in/hunter2", "", 1) + "level = \"high\"", `
notify.soar.level: "medium" → "high"
notify.soar.url: https://hooks.example.com/ … → https://hooks.example.com`},
		{"what is common", "[incidents]\ncommon = [\"a\"]", "[incidents]\ncommon = [\"a\", \"b\"]", `
incidents.common: [a] → [a, b]`},
	} {
		var got strings.Builder
		for _, change := range config.Changes(snapshot(t, c.before), snapshot(t, c.after)) {
			fmt.Fprintf(&got, "\n%v", change)
		}
		if diff := cmp.Diff(c.want, got.String()); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestSourcesComeAndGo: a source is told apart by its name, wherever it stands.
func TestSourcesComeAndGo(t *testing.T) {
	one := source + "client_secret = \"env:A\"\n"
	two := strings.NewReplacer("contoso", "fabrikam", "5555abcd", "5555ffff").Replace(one)
	if got := config.Changes(snapshot(t, one+two), snapshot(t, two+one)); len(got) != 0 {
		t.Errorf("another order: %v", got)
	}
	come := config.Changes(snapshot(t, one), snapshot(t, two+one))
	for _, c := range come {
		if !strings.HasPrefix(c.Path, "source.fabrikam.") || c.Old != "" || c.Section() != "source" {
			t.Errorf("fabrikam comes: %v", c)
		}
	}
	if gone := config.Changes(snapshot(t, two+one), snapshot(t, one)); len(come) == 0 || len(gone) != len(come) {
		t.Errorf("%d settings come and %d go", len(come), len(gone))
	}
}
