// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Class says what to do about a failure.
type Class uint8

// The classes.
const (
	ClassRetry     Class = iota // ask again after a while
	ClassThrottled              // too many requests; the client itself has waited
	ClassAuth                   // the token or the credential is not accepted
	ClassWindow                 // the window is wrong: clamp it anew and look at the clock
	ClassPage                   // the paging link is stale: start the window again
	ClassMissing                // the blob does not exist, or not any more: retry, then a gap
	ClassExpired                // the blob is older than the retention: a gap for good
	ClassDisabled               // there is no subscription, or it was disabled: start it
	ClassAdmin                  // a person has to change something; goes on being tried
	ClassHostile                // the answer is shaped so that it is refused
)

var classNames = []string{"retry", "throttled", "auth", "window", "page", "missing", "expired", "disabled", "admin", "hostile"}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "retry"
}

// Error is why a request has failed.
type Error struct {
	Op         string        // start, list, content, fetch, token
	Status     int           // of the answer; 0 if there was none
	Code       string        // of the API (AF20022) or the token endpoint (invalid_client, AADSTS7000215)
	Message    string        // one line, bounded, without secrets
	Action     string        // what a person should do; empty if nothing
	Class      Class         //
	RetryAfter time.Duration // as the answer says
	Sample     []byte        // the beginning of an answer that was not understood, without secrets
	err        error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "m365 %s", e.Op)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Action != "" {
		fmt.Fprintf(&b, " (%s)", e.Action)
	}
	return b.String()
}

// Unwrap returns the failure of the network or of the credential, if that was it.
func (e *Error) Unwrap() error { return e.err }

// meaning of a code.
type meaning struct {
	class  Class
	action string
}

const bug = "this is a fault of Daybreak: please report it"

// codes are those of the API, as documented or observed (AF20024, AF50005, AF50006 are not
// documented). AF20024 is a success and never gets here.
var codes = map[string]meaning{
	"AF10001": {ClassAdmin, "give the application ActivityFeed.Read (and ActivityFeed.ReadDlp for DLP.All) of the Office 365 Management APIs, and grant admin consent"},
	"AF20001": {ClassAdmin, bug},
	"AF20002": {ClassAdmin, bug},
	"AF20003": {ClassAdmin, "set the webhook's expiration to a time in the future, or to none"},
	"AF20010": {ClassAdmin, "the token is of another tenant: set tenant to the directory in which the application is registered"},
	"AF20011": {ClassAdmin, "the tenant is unknown or was deleted: correct tenant"},
	"AF20012": {ClassAdmin, "the tenant is not set up for the API: switch on unified audit logging and ask Microsoft support if it stays"},
	"AF20013": {ClassAdmin, "set tenant to the directory's GUID"},
	"AF20020": {ClassAdmin, "the service does not know this content type: remove the stream"},
	"AF20021": {ClassAdmin, "the webhook's address did not answer the validation with 200: make it reachable over HTTPS; polling goes on without it"},
	"AF20022": {ClassDisabled, "there is no subscription for this content type: it will be started"},
	"AF20023": {ClassDisabled, "somebody has switched this subscription off: find out who and why; it will be started again"},
	"AF20030": {ClassWindow, "the window was refused: check the machine's clock"},
	"AF20031": {ClassPage, ""},
	"AF20050": {ClassMissing, ""},
	"AF20051": {ClassExpired, ""},
	"AF20052": {ClassMissing, ""},
	"AF20053": {ClassAdmin, bug},
	"AF20054": {ClassAdmin, bug},
	"AF20055": {ClassWindow, "the window was refused: check the machine's clock"},
	"AF429":   {ClassThrottled, ""},
	"AF50000": {ClassRetry, ""},
	"AF50005": {ClassRetry, ""},
	"AF50006": {ClassRetry, ""},
}

// statuses are for answers without a code.
var statuses = map[int]meaning{
	401: {ClassAuth, "the API does not accept the token, although it is new: check tenant and plan"},
	403: {ClassAdmin, "the API refuses the application: check its permissions and admin consent, and that no proxy answers in its place"},
	407: {ClassAdmin, "the proxy wants a login: set it in HTTPS_PROXY"},
	429: {ClassThrottled, ""},
}

const auditingOff = "switch on unified audit logging for the organization; it takes up to an hour until the API knows"

// judge fills in class and action of an error that has its status, code and message.
func (e *Error) judge() *Error {
	m, known := codes[e.Code]
	switch {
	case strings.Contains(e.Message, "DataServiceException") && strings.Contains(e.Message, "does not exist"):
		// What the service says when the tenant has auditing switched off.
		m = meaning{ClassAdmin, auditingOff}
	case known:
	case e.Code == "" || e.Status != 403: // a refusal for a reason that we do not know is tried again
		m = statuses[e.Status]
	}
	e.Class, e.Action = m.class, m.action
	return e
}

// explain reads the code out of an error body. The API's form is documented as
// {"error":{"code","message"}}; members may be missing or of another type.
func explain(body []byte) (code, message string) {
	var answer struct{ Error json.RawMessage }
	if json.Unmarshal(body, &answer) != nil || len(answer.Error) == 0 {
		var plain struct{ Code, Message any } // seen from gateways before the service
		if json.Unmarshal(body, &plain) != nil {
			return "", ""
		}
		return word(plain.Code), line(plain.Message)
	}
	var inner struct{ Code, Message any }
	if json.Unmarshal(answer.Error, &inner) == nil {
		return word(inner.Code), line(inner.Message)
	}
	var text any
	_ = json.Unmarshal(answer.Error, &text)
	return word(text), ""
}

var wordForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// word accepts what can be a code.
func word(v any) string {
	if text, ok := v.(string); ok && wordForm.MatchString(text) {
		return text
	}
	return ""
}

const (
	maxMessage = 300
	maxSample  = 512
)

// line makes one bounded line of what an answer says.
func line(v any) string {
	text, _ := v.(string)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, text)
	return clip(strings.Join(strings.Fields(text), " "), maxMessage)
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// jwtForm is what tokens look like; also one that was cut, or is not ours.
var jwtForm = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,2}`)

// hide takes tokens out of what an answer says, the one given and whatever looks like one.
func hide(text []byte, token string) []byte {
	if token != "" {
		text = bytes.ReplaceAll(text, []byte(token), []byte(hidden))
	}
	return jwtForm.ReplaceAll(text, []byte(hidden))
}

const hidden = "[redacted]"

// sampleOf keeps the beginning of an answer from which the secrets are gone.
func sampleOf(text []byte) []byte { return bytes.Clone(text[:min(len(text), maxSample)]) }
