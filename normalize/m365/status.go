// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// OCSF's status_id outside findings.
const (
	statusSuccess = 1
	statusFailure = 2
	statusOther   = 99
)

// status says how it ended. ResultStatus means what its workload makes of it:
// Exchange's cmdlets write True and False, the directory Success and Failure,
// Planner a number; a sign-in's only says that the request was answered, its
// operation says the outcome. SharePoint and others write none, because they
// log what was done: no result, then, is success.
func (m *mapper) status() {
	e := m.e
	switch m.rule.class {
	case ocsf.ClassDetectionFinding, ocsf.ClassDataSecurityFinding:
		return // a finding's status is where its handling stands, see findings.go
	}
	word := m.str(mResultStatus)
	id, ok := int64(statusSuccess), true
	if len(word) > 0 {
		id, ok = results[string(word)]
	}
	switch {
	case m.rule.class == ocsf.ClassAuthentication && bytes.HasSuffix(m.operation, failed):
		id = statusFailure
	case m.rule.class == ocsf.ClassAuthentication && string(m.operation) == "UserLoggedIn":
		id = statusSuccess
	case !ok:
		id = statusOther
	}
	e.SetInt(ocsf.PathStatusID, id)
	if id == statusOther {
		m.to(ocsf.PathStatus, mResultStatus)
	}
	m.first(ocsf.PathStatusCode, mErrorNumber, mErrorCode, mResultStatus)
}

var failed = []byte("Failed")

var results = map[string]int64{
	"Succeeded": statusSuccess, "Success": statusSuccess, "success": statusSuccess, "True": statusSuccess, "TRUE": statusSuccess, "true": statusSuccess, "1": statusSuccess, "OK": statusSuccess,
	"PartiallySucceeded": statusOther, "Partially Succeeded": statusOther, "Pending": statusOther, "InProgress": statusOther,
	"Failed": statusFailure, "Failure": statusFailure, "failure": statusFailure, "Fail": statusFailure, "False": statusFailure, "FALSE": statusFailure, "false": statusFailure, "2": statusFailure, "3": statusFailure,
	"Denied": statusFailure, "Error": statusFailure, "Timeout": statusFailure, "Blocked": statusFailure,
}
