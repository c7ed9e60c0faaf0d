// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

type (
	stream = company.Stream
	ref    = company.Ref
)

const (
	streams    = len(company.Streams)
	dlp        = company.DLP
	streamList = "AzureActiveDirectory, Exchange, SharePoint, General or DLP"
)

// life is what the server needs of a company: any event by its place.
type life interface {
	Count(s company.Stream, slot int64) int
	Time(r company.Ref) time.Time
	AppendID(dst []byte, r company.Ref) []byte
	Append(dst []byte, r company.Ref) []byte
	Tenant() string
}

// streamNamed finds a stream by its content type, or the part of it that tells
// it from the others ("SharePoint", "DLP").
func streamNamed(name string) (stream, bool) {
	for _, s := range company.Streams {
		full := s.String()
		if _, short, _ := strings.Cut(full, "."); strings.EqualFold(name, full) || strings.EqualFold(name, short) || strings.EqualFold(name, "DLP") && s == dlp {
			return s, true
		}
	}
	return 0, false
}

// exactStream finds a stream by its content type.
func exactStream(name string) (stream, bool) {
	s, ok := streamNamed(name)
	return s, ok && strings.EqualFold(s.String(), name)
}
