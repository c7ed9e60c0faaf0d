// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (s *surface) deadLetters(ctx context.Context, _ *nothing) (*body[[]v1.DeadLetter], error) {
	dead, err := s.node.DeadLetters(ctx)
	if err != nil {
		return nil, problem(err)
	}
	list := make([]v1.DeadLetter, 0, len(dead))
	for i := range dead {
		d, m := &dead[i], &dead[i].Message
		list = append(list, v1.DeadLetter{
			ID: d.ID, Channel: d.Channel, Created: d.Created, Since: d.Since, Attempts: d.Attempts, Error: d.Error,
			Key: m.Key, Incident: m.Incident, Title: m.Title, Level: m.Level, State: m.State,
		})
	}
	return &body[[]v1.DeadLetter]{list}, nil
}

type deadInput struct {
	ID int64 `path:"id" minimum:"1" doc:"Id of a message that was put aside"`
}

func (s *surface) tellAgain(ctx context.Context, in *deadInput) (*body[[]v1.DeadLetter], error) {
	if err := s.node.TellAgain(ctx, in.ID); err != nil {
		return nil, problem(err)
	}
	return s.deadLetters(ctx, nil)
}

func (s *surface) discard(ctx context.Context, in *deadInput) (*body[[]v1.DeadLetter], error) {
	if err := s.node.Discard(ctx, in.ID); err != nil {
		return nil, problem(err)
	}
	return s.deadLetters(ctx, nil)
}
