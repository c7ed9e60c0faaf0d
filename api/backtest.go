// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

type backtestInput struct{ Body v1.BacktestRequest }

// backtest judges the stored history by the rules of the request.
func (s *surface) backtest(ctx context.Context, in *backtestInput) (*body[v1.Backtest], error) {
	var texts []detect.Text
	for _, f := range in.Body.Rules {
		texts = append(texts, detect.Text{Name: f.Name, Text: f.Text})
	}
	b, err := s.node.OpenTexts(texts)
	if err != nil {
		return nil, problem(err)
	}
	for _, p := range b.Problems {
		if p.Severity == sigma.Error {
			return nil, huma.Error400BadRequest(p.Error())
		}
	}
	found, err := s.node.Backtest(ctx, b, in.Body.Since, in.Body.Until)
	if err != nil {
		return nil, problem(err)
	}
	out := v1.Backtest{
		Records: found.Records, Gone: found.Gone, Matches: found.Hits, Seconds: found.Seconds,
		Rules: make([]v1.BacktestRule, 0, len(found.Alerts)), Days: make([]v1.BacktestDay, 0, len(found.Days)), Samples: make([]v1.BacktestSample, 0, len(found.Samples)),
	}
	for _, r := range found.Alerts {
		out.Rules = append(out.Rules, v1.BacktestRule{Rule: r.Rule, Title: r.Title, Level: r.Level, Alerts: r.Alerts})
		out.Alerts += r.Alerts
	}
	for _, d := range found.Days {
		out.Days = append(out.Days, v1.BacktestDay{Day: d.Day.Format(time.DateOnly), Alerts: d.Alerts})
	}
	for _, a := range found.Samples {
		x := v1.BacktestSample{Rule: a.Rule, First: a.First, Last: a.Last, Count: a.Count, Sentence: a.Sentence, Events: []string{}}
		for _, r := range a.Refs[:min(len(a.Refs), 5)] {
			x.Events = append(x.Events, r.ID.String())
		}
		out.Samples = append(out.Samples, x)
	}
	return &body[v1.Backtest]{out}, nil
}
