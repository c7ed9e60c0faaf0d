// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

// Grant gives a token without a grant.
func (s *Server) Grant() string { return s.give() }

// All are the applications that there are.
func All() []string { return applications }
