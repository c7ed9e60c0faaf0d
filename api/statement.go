// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/daybreak-sec/daybreak/coverage/statement"
)

// statementAnswer is the form of a signed coverage statement in the document.
type statementAnswer struct {
	Note      string              `json:"note" doc:"C2SP signed note: title, origin and size of the log, SHA-256 of the statement's canonical JSON"`
	Statement statement.Statement `json:"statement"`
}

type statementInput struct {
	CoverageInput
	Tenant string `query:"tenant" doc:"The only tenant that it is about; all if absent"`
}

func (s *surface) coverageStatement(ctx context.Context, in *statementInput) (*huma.StreamResponse, error) {
	if err := in.check(time.Now()); err != nil {
		return nil, err
	}
	doc, err := s.node.Statement(ctx, in.Tenant, in.Since, in.Until)
	if err != nil {
		return nil, problem(err)
	}
	return document(doc), nil
}

// document answers with the bytes that were signed.
func document(doc []byte) *huma.StreamResponse {
	return answer("application/json", func(w io.Writer) error {
		_, err := w.Write(doc)
		return err
	})
}
