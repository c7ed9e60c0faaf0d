// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// auditData takes the vendor's record out of a row of Search-UnifiedAuditLog,
// an object whose member AuditData is a string that holds it.
type auditData struct {
	tape jsontape.Tape
}

// auditName ends the member's name. Names are searched for from their first
// byte, and D is rare where A and quotes are not.
var auditName = []byte(`Data"`)

// unwrap appends the record to dst and returns it, or returns raw itself.
func (a *auditData) unwrap(dst, raw []byte) (grown, record []byte) {
	if !named(raw) || a.tape.Parse(raw) != nil {
		return dst, raw
	}
	root := a.tape.Root()
	inner := root.Get("AuditData").Str()
	if len(inner) == 0 || inner[0] != '{' || root.Get("Workload").Exists() {
		return dst, raw
	}
	from := len(dst)
	dst = append(dst, inner...)
	return dst, dst[from:len(dst):len(dst)]
}

// named reports whether the name AuditData occurs.
func named(raw []byte) bool {
	for {
		n := bytes.Index(raw, auditName)
		if n < 0 {
			return false
		}
		if bytes.HasSuffix(raw[:n], []byte(`"Audit`)) {
			return true
		}
		raw = raw[n+len(auditName):]
	}
}
