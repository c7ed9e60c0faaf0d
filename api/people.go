// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	"github.com/daybreak-sec/daybreak/identity"
)

type personInput struct {
	Name string `path:"name" maxLength:"320" doc:"A mail address, an account such as okta:00u1a2b3c4d5e6f7g8h9, or what a person is called" example:"ann@contoso.example"`
}

func (s *surface) person(ctx context.Context, in *personInput) (*body[*identity.Person], error) {
	p, err := s.node.Person(ctx, in.Name)
	if err != nil {
		return nil, problem(err)
	}
	return &body[*identity.Person]{p}, nil
}
