// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import "time"

// Canaries says how canaries stand. docs/reference/canaries.md explains them.
type Canaries struct {
	Canaries []Canary `json:"canaries" doc:"Each kind of canary of each source, with each channel that its records may come through"`
}

// Canary is how canaries of a kind stand with a channel.
type Canary struct {
	Tenant    string     `json:"tenant"`
	Source    string     `json:"source" doc:"That plants them, as the configuration names it"`
	Live      bool       `json:"live" doc:"They are planted; otherwise it is a dry run"`
	Every     float64    `json:"every_seconds" doc:"Time between two"`
	Kind      string     `json:"kind" example:"sign-in"`
	Channel   string     `json:"channel,omitempty" doc:"A stream, or the category of a log that a hub has; empty if no channel that would show them is collected" example:"signIns.servicePrincipal"`
	Collected string     `json:"collected" enum:"no,perhaps,yes" doc:"Whether the channel is collected; perhaps: from a hub, which is known when a canary has come through it"`
	Planted   *time.Time `json:"planted,omitempty" doc:"When the newest was planted, by the clock of the machine"`
	Came      int        `json:"came" doc:"Of those of the last 14 days"`
	Waiting   int        `json:"waiting" doc:"That have not come, and need not yet"`
	Missing   int        `json:"missing" doc:"That have not come in the time that they may take"`
	Allowed   float64    `json:"allowed_seconds" doc:"How long a record may take, as learned from those that came"`
	Median    float64    `json:"median_seconds,omitempty" doc:"From the act to its record in the log, of those that came"`
	P95       float64    `json:"p95_seconds,omitempty"`
	Slowest   float64    `json:"slowest_seconds,omitempty"`
	Message   string     `json:"message,omitempty" doc:"Why none is planted"`
}
