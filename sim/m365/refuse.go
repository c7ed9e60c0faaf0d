// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error as the service words it: {"error":{"code","message"}}.
type refusal struct {
	status  int
	code    string
	message string
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

// The error table of the API reference. Statuses other than those of the
// documented samples are what clients report: 400 for what the caller did,
// 403 for what it may not, 500 for the rest.
var refusals = map[string]struct {
	status int
	text   string
}{
	"AF10001": {403, "The permission set (%s) sent in the request did not include the expected permission %s."},
	"AF20001": {400, "Missing parameter: %s."},
	"AF20002": {400, "Invalid parameter type: %s. Expected type: %s"},
	"AF20003": {400, "Expiration %s provided is set to past date and time."},
	"AF20010": {400, "The tenant ID passed in the URL (%s) does not match the tenant ID passed in the access token (%s)."},
	"AF20011": {400, "Specified tenant ID (%s) does not exist in the system or has been deleted."},
	"AF20013": {400, "The tenant ID passed in the URL (%s) is not a valid GUID."},
	"AF20020": {400, "The specified content type is not valid."},
	"AF20021": {400, "The webhook endpoint (%s) could not be validated. %s"},
	"AF20022": {400, "No subscription found for the specified content type."},
	"AF20023": {400, "The subscription was disabled by %s."},
	"AF20024": {400, "The subscription is already enabled. No property change."},
	"AF20030": {400, "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with the start time no more than 7 days in the past."},
	"AF20031": {400, "Invalid nextPage Input: %s."},
	"AF20050": {400, "The specified content (%s) does not exist."},
	"AF20051": {400, "Content requested with the key %s has already expired. Content older than 7 days cannot be retrieved."},
	"AF20052": {400, "Content ID %s in the URL is invalid."},
	"AF20053": {400, "Only one language may be present in the Accept-Language header."},
	"AF20054": {400, "Invalid syntax in Accept-Language header."},
	"AF20055": {400, "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with the start time prior to end time and start time no more than 7 days in the past."},
	"AF429":   {403, "Too many requests. Method=%s, PublisherId=%s"},
	"AF50000": {500, "An internal server error occurred. Retry the request."},
	"AF59999": {500, "Something that no documentation mentions went wrong."},
}

func refuse(code string, args ...any) *refusal {
	r, ok := refusals[code]
	if !ok {
		panic("m365: no refusal " + code)
	}
	return &refusal{r.status, code, fmt.Sprintf(r.text, args...)}
}

func (r *refusal) write(w http.ResponseWriter) {
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = r.code, r.message
	writeJSON(w, r.status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("m365: an answer that is no JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that is gone needs no answer
}
