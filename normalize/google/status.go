// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// OCSF status_id.
const (
	statusSuccess = 1
	statusFailure = 2
	statusOther   = 99
)

// failures are the events that say by name that something did not happen.
var failures = map[string]bool{
	"ACCESS_DENY_EVENT": true, "ACCESS_DENY_INTERNAL_ERROR_EVENT": true, "MONITOR_MODE_ACCESS_DENY_EVENT": true, "risky_sensitive_action_blocked": true,
	"FAILED_PASSWORD_ATTEMPTS_EVENT": true, "login_failure": true, "delete_export_fail": true, "CHROME_OS_LOGIN_FAILURE_EVENT": true,
	"CHROMEOS_AFFILIATED_UNLOCK_FAILURE": true, "CHROMEOS_UNAFFILIATED_UNLOCK_FAILURE": true, "CHROMEOS_UPDATE_FAILURE": true, "CHROMEOS_ROLLBACK_FAILURE": true,
}

// status: activities are logged when they are done, so that they succeeded
// unless the record says otherwise: in the event's name, in the status that
// newer records have, by a challenge's outcome. Of what has only begun nothing
// is known.
func (f *facts) status(name []byte, event jsontape.Value, e *ocsf.Event) {
	if e.Class/1000 == 2 {
		e.SetInt(ocsf.PathStatusID, int64(pick(e.Activity == findingClose, 4, 1))) // Resolved, New
		return
	}
	id := int64(statusSuccess)
	switch {
	case failures[string(name)]:
		id = statusFailure
	case bytes.HasSuffix(name, []byte("_begin")), len(name) == 0:
		id = 0
	case f.at[sChallenge].Exists():
		id = challenge(f.text(sChallenge))
	case f.at[sMailEvent].Exists():
		id = 0
		if ok, stated := part(f.at[sMailEvent], "success").Bool(); stated {
			id = int64(pick(ok, statusSuccess, statusFailure))
		}
	}
	if s := event.Get("status"); s.Kind() == jsontape.Object {
		switch string(s.Get("eventStatus").Str()) {
		case "SUCCEEDED", "SUCCEEDED_WITH_WARNINGS":
			id = statusSuccess
		case "FAILED":
			id = statusFailure
		case "SKIPPED":
			id = statusOther
		}
		e.SetString(ocsf.PathStatusCode, s.Get("errorCode").Text())
		e.SetString(ocsf.PathStatusDetail, s.Get("errorMessage").Str())
	}
	if id != 0 {
		e.SetInt(ocsf.PathStatusID, id)
	}
	for _, s := range [...]slot{sFailure, sSAMLStatus} {
		if !e.Has(ocsf.PathStatusCode) {
			f.put(ocsf.PathStatusCode, s, e)
		}
	}
	for _, s := range [...]slot{sChallenge, sReason} {
		switch {
		case bytes.Equal(f.text(s), name):
			f.tell(s)
		case !e.Has(ocsf.PathStatusDetail):
			f.put(ocsf.PathStatusDetail, s, e)
		}
	}
}

// challenge reads the outcome of a challenge, which is a word or a sentence.
func challenge(text []byte) int64 {
	var buf [64]byte
	b, ok := lower(buf[:0], text)
	switch {
	case !ok:
		return 0
	case bytes.Contains(b, []byte("passed")):
		return statusSuccess
	case bytes.Contains(b, []byte("incorrect")), bytes.Contains(b, []byte("fail")), bytes.Contains(b, []byte("denied")):
		return statusFailure
	}
	return 0
}

// part returns the named part of a message, which is a list of parameters of
// its own or, made by a product, an object.
func part(message jsontape.Value, names ...string) jsontape.Value {
	for _, name := range names {
		list := message.Get("parameter")
		if !list.Exists() {
			message = message.Get(name)
			continue
		}
		message = jsontape.Value{}
		for key, v := range pairs(list) {
			if string(key) == name {
				message = v
				break
			}
		}
	}
	return message
}
