// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"slices"
	"testing"

	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/google"
	"github.com/daybreak-sec/daybreak/provider/graph"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/slack"
)

// TestTypesHaveTheirProvidersStreams: the configuration names the streams that the clients read, and no others.
func TestTypesHaveTheirProvidersStreams(t *testing.T) {
	var graphs []string
	for _, s := range graph.Streams {
		graphs = append(graphs, s.Name)
	}
	var parts []string
	for _, s := range github.Streams {
		parts = append(parts, s.Name)
	}
	var applications []string
	for _, s := range google.Streams {
		applications = append(applications, s.Name)
	}
	for typ, want := range map[string][]string{"m365": provider.Streams, "entra": graphs, "github": parts, "google": applications, "slack": {slack.Stream}, "okta": {okta.Stream}, "controls": controls.Names(controls.Microsoft), "github-controls": controls.Names(controls.GitHub), "okta-controls": controls.Names(controls.Okta), "canary": {canary.SignIn, canary.Group, canary.File, canary.Mail}, "audit-query": {auditquery.Stream}} {
		if got := config.Streams(typ); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", typ, got, want)
		}
	}
	if got, want := config.Types(), []string{"audit-query", "canary", "cloudtrail", "controls", "entra", "eventhubs", "files", "github", "github-controls", "google", "kafka", "m365", "okta", "okta-controls", "s3", "slack"}; !slices.Equal(got, want) {
		t.Errorf("types %q, want %q", got, want)
	}
}
