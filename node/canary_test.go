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
		return config.Source{Tenant: tenant, Type: typ, Streams: streams}
	}
	for _, c := range []struct {
		name     string
		source   config.Source
		log, hub canary.Collected
	}{
		{"the log", of("a", "entra", "signIns", log), canary.Surely, canary.Never},
		{"without the log", of("a", "entra", "signIns"), canary.Never, canary.Never},
		{"of another tenant", of("b", "entra", log), canary.Never, canary.Never},
		{"the hub of that name", of("a", "eventhubs", "insights-logs-ServicePrincipalSigninLogs"), canary.Never, canary.Surely},
		{"another hub", of("a", "eventhubs", "entra"), canary.Never, canary.Perhaps},
		{"a topic", of("a", "kafka", "insights-logs-serviceprincipalsigninlogs"), canary.Never, canary.Never},
		{"a canary", of("a", "canary", canary.SignIn), canary.Never, canary.Never},
	} {
		sources := []config.Source{c.source, of("a", "m365", "Audit.General")}
		if got := collects(sources, "a", log); got != c.log {
			t.Errorf("%s: the log is collected: %v, want %v", c.name, got, c.log)
		}
		if got := collects(sources, "a", category); got != c.hub {
			t.Errorf("%s: the category is collected: %v, want %v", c.name, got, c.hub)
		}
	}
}
