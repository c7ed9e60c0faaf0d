// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// nextLink returns the target of the link whose relation is next, or nothing if there is none. There are several links, in
// headers of their own or separated by commas (RFC 8288). ok is false if a header cannot be read, or if two next links
// differ: nobody knows then whether there is more.
func nextLink(headers []string) (next string, ok bool) {
	for _, h := range headers {
		for h = trim(h); h != ""; h = trim(h) {
			target, params, rest, ok := link(h)
			if !ok {
				return "", false
			}
			h = rest
			if !isNext(params) {
				continue
			}
			if next != "" && next != target {
				return "", false
			}
			next = target
		}
	}
	return next, true
}

func trim(h string) string { return strings.TrimLeft(h, " \t,") }

// link takes the first link from a header: <target>; name=value; name="value", …
func link(h string) (target string, params []string, rest string, ok bool) {
	target, h, ok = strings.Cut(strings.TrimPrefix(h, "<"), ">")
	if target = strings.TrimSpace(target); !ok || target == "" {
		return "", nil, "", false
	}
	quoted, from := false, 0
	for i := range len(h) {
		switch {
		case h[i] == '"' && (i == 0 || h[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case h[i] == ';':
			params, from = append(params, h[from:i]), i+1
		case h[i] == ',':
			return target, append(params, h[from:i]), h[i+1:], true
		}
	}
	return target, append(params, h[from:]), "", !quoted
}

// isNext reports whether one of the relations is next: rel="next", rel=next, rel="next last".
func isNext(params []string) bool {
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for word := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(word, "next") {
				return true
			}
		}
		return false // only the first rel counts
	}
	return false
}

// longestReset bounds what X-Rate-Limit-Reset may make us wait: Okta's windows are a minute.
const longestReset = 15 * time.Minute

// retryAfter reads how long to wait after a refusal: until X-Rate-Limit-Reset, in Unix seconds, by the clock that the
// answer's Date shows. Several values are several limits, and the last of them counts. A limit on requests at one time
// gives a reset that is past: it says nothing.
func retryAfter(h http.Header) (wait time.Duration) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return rest.RetryAfter(h)
	}
	for _, values := range h.Values("X-Rate-Limit-Reset") {
		for text := range strings.SplitSeq(values, ",") {
			unix, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if left := unix - date.Unix(); err == nil && unix > 0 && left > 0 {
				wait = max(wait, time.Duration(min(left, int64(longestReset/time.Second)))*time.Second)
			}
		}
	}
	return max(wait, rest.RetryAfter(h))
}
