// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/reconcile"
)

// Which source may have the table CloudAppEvents is told by the names of hubs: that of the table first, else one that is named after nothing.
func TestCollecting(t *testing.T) {
	t.Parallel()
	const own, other, any = "insights-logs-advancedhunting-cloudappevents", "Insights-Logs-AuditLogs", "everything"
	for _, c := range []struct {
		name, stream string
		hubs         [2][]string // of two sources
		want         string
	}{
		{"the table's hub", reconcile.CloudAppEvents, [2][]string{{any}, {other, own}}, "second"},
		{"a hub of any name", reconcile.CloudAppEvents, [2][]string{{other, any}, {any}}, "first"},
		{"hubs of other logs", reconcile.CloudAppEvents, [2][]string{{other}, {other}}, ""},
		{"a hub by the name of its stream", "contoso/" + any, [2][]string{{other}, {any}}, "second"},
		{"a hub that is not read", "contoso/" + own, [2][]string{{other}, {any}}, ""},
	} {
		sources := []config.Source{
			{Name: "foreign", Type: "eventhubs", Tenant: "b", Namespace: "contoso", Streams: []string{any, own}},
			{Name: "topics", Type: "kafka", Tenant: "a", Streams: []string{any, own}},
			{Name: "first", Type: "eventhubs", Tenant: "a", Namespace: "contoso.servicebus.windows.net", Streams: c.hubs[0]},
			{Name: "second", Type: "eventhubs", Tenant: "a", Namespace: "contoso", Streams: c.hubs[1]},
		}
		if got := collecting(sources, "a", c.stream); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
