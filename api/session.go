// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/node"
)

type sessionInput struct {
	ID    string    `path:"id" maxLength:"512" doc:"Id of a session, or of a token or a root of one"`
	Since time.Time `query:"since" doc:"Only events at this time or later"`
	Until time.Time `query:"until" doc:"Only events before this time"`
}

func (s *surface) session(ctx context.Context, in *sessionInput) (*body[*node.Session], error) {
	x, err := s.node.Session(ctx, in.ID, in.Since, in.Until)
	if err != nil {
		return nil, problem(err)
	}
	return &body[*node.Session]{x}, nil
}
