// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"

	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/config"
)

// TestCollects: which channels the sources of a tenant have for sure, and which perhaps.
func TestCollects(t *testing.T) {
	t.Parallel()
	const log, category = "signIns.servicePrincipal", "ServicePrincipalSignInLogs"
	of := func(tenant, typ string, streams ...string) config.Source {
		return config.Source{Tenant: tenant, Type: typ, Streams: streams, Namespace: "contoso.servicebus.windows.net"}
	}
	for _, c := range []struct {
		name     string
		source   config.Source
		log, hub string
	}{
		{"the log", of("a", "entra", "signIns", log), "yes signIns.servicePrincipal", "no "},
		{"without the log", of("a", "entra", "signIns"), "no ", "no "},
		{"of another tenant", of("b", "entra", log), "no ", "no "},
		{"the hub of that name", of("a", "eventhubs", "x", "insights-logs-ServicePrincipalSigninLogs"), "no ", "yes contoso/insights-logs-ServicePrincipalSigninLogs"},
		{"another hub", of("a", "eventhubs", "entra"), "no ", "perhaps "},
		{"a topic", of("a", "kafka", "insights-logs-serviceprincipalsigninlogs"), "no ", "no "},
		{"a canary", of("a", "canary", canary.SignIn), "no ", "no "},
	} {
		sources := []config.Source{c.source, of("a", "m365", "Audit.General")}
		for channel, want := range map[string]string{log: c.log, category: c.hub} {
			collected, stream := collects(sources, "a", channel)
			if got := collected.String() + " " + stream; got != want {
				t.Errorf("%s: %s is collected: %q, want %q", c.name, channel, got, want)
			}
		}
	}
}
