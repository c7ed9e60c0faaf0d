// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"context"
	"encoding/json"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (s *surface) controls(ctx context.Context, _ *nothing) (*body[v1.Controls], error) {
	list, err := s.node.Controls(ctx)
	if err != nil {
		return nil, problem(err)
	}
	out := v1.Controls{Controls: make([]v1.Control, 0, len(list))}
	for i := range list {
		c := &list[i]
		out.Controls = append(out.Controls, v1.Control{
			Tenant: c.Tenant, Source: c.Source, Control: c.Control.Control, Subject: c.Subject, State: c.Verdict, Since: known(c.Since), Read: known(c.Watched),
			Value: valid(c.State), Before: valid(c.Before), Message: cmp.Or(c.Trouble, c.Message), Event: c.Event, Act: c.Act, Title: c.Title, Needs: c.Needs,
		})
	}
	return &body[v1.Controls]{out}, nil
}

// valid is a state as JSON; nil if there is none.
func valid(state string) json.RawMessage {
	if state == "" || !json.Valid([]byte(state)) {
		return nil
	}
	return json.RawMessage(state)
}
