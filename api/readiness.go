// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/daybreak-sec/daybreak/readiness"
)

// readinessAnswer is the form of a signed judgment in the document.
type readinessAnswer struct {
	Note      string             `json:"note" doc:"C2SP signed note: title, origin and size of the log, SHA-256 of the statement's canonical JSON"`
	Statement readiness.Document `json:"statement"`
}

type readinessInput struct {
	Body struct {
		Requirements string `json:"requirements" minLength:"1" maxLength:"262144" doc:"A file of requirements (TOML)"`
		Tenant       string `json:"tenant,omitempty" maxLength:"256" doc:"Only of this tenant"`
		Group        string `json:"group,omitempty" maxLength:"256" doc:"People of the HR list: a column and its value" example:"ring=1"`
	}
}

func (s *surface) readiness(ctx context.Context, in *readinessInput) (*huma.StreamResponse, error) {
	f, err := readiness.Parse([]byte(in.Body.Requirements))
	if err != nil {
		return nil, huma.Error400BadRequest(err.Error())
	}
	doc, err := s.node.Readiness(ctx, f, in.Body.Tenant, in.Body.Group)
	if err != nil {
		return nil, problem(err)
	}
	return document(doc), nil
}
