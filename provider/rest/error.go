// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	API        string        // whose: Options.Name
	Op         string        // content, fetch, token, …: the client's own word
	Status     int           // of the answer; 0 if there was none
	Code       string        // of the API (AF20022) or the token endpoint (invalid_client, AADSTS7000215)
	Message    string        // one line, bounded, without secrets
	Action     string        // what a person should do; empty if nothing
	Class      Class         //
	RetryAfter time.Duration // as the answer says
	Known      bool          // Judge knows the code: the answer is no news, and no sample of it is kept
	Sample     []byte        // the beginning of an answer that was not understood, without secrets
	Err        error         // the failure of the network or of the credential, if that was it
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.API, e.Op)
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
func (e *Error) Unwrap() error { return e.Err }

// OpToken is the operation of getting a token.
const OpToken = "token"

// Unasked reports whether a token could not be had: nothing was asked for, so that the failure says nothing about it.
func (e *Error) Unasked() bool { return e.Op == OpToken }

// Everybodys reports whether a failure is that of the credential, a permission, a subscription or the provider as a whole, and
// not of what was asked for: other requests would fail as well.
func (e *Error) Everybodys() bool {
	switch e.Class {
	case ClassThrottled, ClassAuth, ClassDisabled, ClassAdmin:
		return true
	}
	return e.Unasked()
}

// Meaning of a code.
type Meaning struct {
	Class  Class
	Action string
}

// Bug is what a person does about what only we can have done wrong.
const Bug = "this is a fault of Daybreak: please report it"

// Statuses are for answers without a code that is known.
var Statuses = map[int]Meaning{
	401: {ClassAuth, "the API does not accept the token, although it is new: check tenant and plan"},
	403: {ClassAdmin, "the API refuses the application: check its permissions and admin consent, and that no proxy answers in its place"},
	407: {ClassAdmin, "the proxy wants a login: set it in HTTPS_PROXY"},
	429: {ClassThrottled, ""},
}

// ByStatus fills in class and action by the status alone.
func (e *Error) ByStatus() {
	m := Statuses[e.Status]
	e.Class, e.Action = m.Class, m.Action
}

// ByCode fills in class and action by the code, if it is one of those that mean more than their status; otherwise, and of
// refusals for too many requests, by the status. It reports whether the code has told.
func (e *Error) ByCode(codes map[string]Meaning) bool {
	m, known := codes[e.Code]
	e.Known = known
	if !known || e.Status == http.StatusTooManyRequests {
		e.ByStatus()
		return false
	}
	e.Class, e.Action = m.Class, m.Action
	return true
}

// Explain reads the code out of an error body. The form of
// Microsoft's APIs is {"error":{"code","message"}}; members may be missing or of another type.
func Explain(body []byte) (code, message string) {
	var answer struct{ Error json.RawMessage }
	if json.Unmarshal(body, &answer) != nil || len(answer.Error) == 0 {
		var plain struct{ Code, Message any } // seen from gateways before the service
		if json.Unmarshal(body, &plain) != nil {
			return "", ""
		}
		return Word(plain.Code), Line(plain.Message)
	}
	var inner struct{ Code, Message any }
	if json.Unmarshal(answer.Error, &inner) == nil {
		return Word(inner.Code), Line(inner.Message)
	}
	var text any
	_ = json.Unmarshal(answer.Error, &text)
	return Word(text), ""
}

var wordForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// Word accepts what can be a code.
func Word(v any) string {
	if text, ok := v.(string); ok && wordForm.MatchString(text) {
		return text
	}
	return ""
}

const (
	MaxMessage = 300 // bytes of a message
	maxSample  = 512
)

// Line makes one bounded line of what an answer says.
func Line(v any) string {
	text, _ := v.(string)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, text)
	return Clip(strings.Join(strings.Fields(text), " "), MaxMessage)
}

// Clip cuts a text to n bytes.
func Clip(text string, n int) string {
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

// SampleOf keeps the beginning of an answer from which the secrets are gone.
func SampleOf(text []byte) []byte { return bytes.Clone(text[:min(len(text), maxSample)]) }

// Of is the API's error in a chain; an empty one, of [ClassRetry], if there is none.
func Of(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return new(Error)
}

// Sentence says what an error is, with the beginning of the answer that was not understood.
func Sentence(err error) string {
	text := err.Error()
	if e := Of(err); len(e.Sample) > 0 {
		text += fmt.Sprintf(" (it begins %q)", e.Sample[:min(len(e.Sample), 512)])
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
