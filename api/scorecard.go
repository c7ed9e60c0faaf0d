// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/daybreak-sec/daybreak/coverage/scorecard"
)

// scorecardAnswer is the form of a signed scorecard in the document.
type scorecardAnswer struct {
	Note      string              `json:"note" doc:"C2SP signed note: title, origin and size of the log, SHA-256 of the statement's canonical JSON"`
	Statement scorecard.Scorecard `json:"statement"`
}

type scorecardInput struct {
	CoverageInput
	Targets string `query:"targets" maxLength:"16384" doc:"JSON list of targets: [{\"stream\":\"Audit.Exchange\",\"operation\":\"New-InboxRule\",\"quantile\":\"p95\",\"within\":\"15m\"},{\"canary\":\"sign-in\",\"at_least\":\"99.5%\"}]"`
}

func (s *surface) scorecard(ctx context.Context, in *scorecardInput) (*huma.StreamResponse, error) {
	if err := in.check(time.Now()); err != nil {
		return nil, err
	}
	var targets []scorecard.Target
	if in.Targets != "" {
		var err error
		if targets, err = scorecard.ParseTargets([]byte(in.Targets)); err != nil {
			return nil, huma.Error400BadRequest(err.Error())
		}
	}
	doc, err := s.node.Scorecard(ctx, in.Since, in.Until, targets)
	if err != nil {
		return nil, problem(err)
	}
	return document(doc), nil
}
