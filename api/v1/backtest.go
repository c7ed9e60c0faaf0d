// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import "time"

// BacktestRequest asks what rules would have found.
type BacktestRequest struct {
	Rules []RuleFile `json:"rules" minItems:"1" maxItems:"1000" doc:"Files of Sigma rules; nothing else judges"`
	Since time.Time  `json:"since,omitzero" doc:"Only records that happened at this time or later"`
	Until time.Time  `json:"until,omitzero" doc:"Only records that happened before this time"`
}

// RuleFile is a file of Sigma rules.
type RuleFile struct {
	Name string `json:"name" maxLength:"1024" doc:"For messages"`
	Text string `json:"text" maxLength:"1048576"`
}

// Backtest is what rules would have found in the stored history.
type Backtest struct {
	Records int64            `json:"records" doc:"Records judged"`
	Gone    int64            `json:"gone" doc:"Records that were not judged: they are gone by policy"`
	Matches int64            `json:"matches" doc:"Of rules that judge single records, those of correlations among them"`
	Alerts  int              `json:"alerts"`
	Rules   []BacktestRule   `json:"rules" doc:"Rules that have found something, the one with most alerts first"`
	Days    []BacktestDay    `json:"days" doc:"Days with alerts, UTC"`
	Samples []BacktestSample `json:"samples" doc:"The first few alerts of each rule"`
	Seconds float64          `json:"seconds"`
}

// BacktestRule counts the alerts of one rule.
type BacktestRule struct {
	Rule   string `json:"rule_id"`
	Title  string `json:"title"`
	Level  string `json:"level"`
	Alerts int    `json:"alerts"`
}

// BacktestDay counts the alerts of one day.
type BacktestDay struct {
	Day    string `json:"day" example:"2026-11-28"`
	Alerts int    `json:"alerts"`
}

// BacktestSample is an alert that a rule would have given.
type BacktestSample struct {
	Rule     string    `json:"rule_id"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Count    int       `json:"count"`
	Sentence string    `json:"sentence"`
	Events   []string  `json:"events" doc:"Ids of the first few records"`
}
