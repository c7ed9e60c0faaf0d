// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// explain reads {"message": …, "documentation_url": …}. There are no codes; what comes next to one is the place in the
// documentation that the answer points to.
func explain(body []byte) (code, message string) {
	var answer struct {
		Message any
		URL     any `json:"documentation_url"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return "", ""
	}
	text, _ := answer.URL.(string)
	if u, err := url.Parse(text); err == nil {
		code = rest.Word(u.Fragment)
	}
	return code, rest.Line(answer.Message)
}

// retryAfter reads how long to wait: Retry-After, or, if no request is left, the time at which there will be some. That is
// compared with the answer's own, so that a clock that is wrong does not matter
// (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
func retryAfter(h http.Header) time.Duration {
	if wait := rest.RetryAfter(h); wait > 0 {
		return wait
	}
	if strings.TrimSpace(h.Get("X-RateLimit-Remaining")) != "0" {
		return 0
	}
	reset, err1 := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 10, 64)
	date, err2 := http.ParseTime(h.Get("Date"))
	if err1 != nil || err2 != nil {
		return secondary
	}
	// Beyond the hour that limits are counted by, somebody's clock is wrong.
	left := min(max(reset, date.Unix()), date.Unix()+2*3600) - date.Unix()
	return max(time.Duration(left)*time.Second, time.Second)
}

// secondary is how long to wait if the answer does not say.
const secondary = time.Minute

// secondaryAnchors are the places in the documentation that refusals for too many requests point to.
var secondaryAnchors = map[string]bool{"about-secondary-rate-limits": true, "secondary-rate-limits": true, "exceeding-the-rate-limit": true, "abuse-rate-limits": true}

const permission = "give a token of an owner of the account with read:audit_log (classic), or read access to its administration (fine-grained), and authorize it for single sign-on if the account has that"

// judge fills in class and action of an error that has its status, code and message.
func judge(e *rest.Error) {
	limited := e.RetryAfter > 0 || secondaryAnchors[e.Code]
	switch {
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusForbidden && limited:
		e.Class, e.Known = rest.ClassThrottled, true
		if e.RetryAfter == 0 {
			e.RetryAfter = secondary
		}
	case e.Status == http.StatusUnauthorized:
		e.Class, e.Known, e.Action = rest.ClassAuth, true, "make a new token and put it in the old one's place; it is read again without a restart"
	case e.Status == http.StatusForbidden:
		e.Class, e.Known, e.Action = rest.ClassAdmin, true, permission
	case e.Status == http.StatusNotFound:
		// What one may not see does not exist.
		e.Class, e.Known, e.Action = rest.ClassAdmin, true, "check the account's name and kind, and that it has GitHub Enterprise Cloud; "+permission
	default:
		e.ByStatus()
	}
}
