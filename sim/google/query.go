// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// query is what is asked for: activities of [from, to], older than a place in the order.
type query struct {
	application string
	from, to    time.Time
	limit       int
	after       bool
	at          time.Time // of the last activity of the page before, if after
	id          record.GUID
}

const most = 1000 // activities on a page

// parse reads the parameters. What is not known is refused, so that nobody believes it was heeded.
func (s *Server) parse(r *http.Request, now time.Time) (q query, err error) {
	v := r.URL.Query()
	q = query{application: r.PathValue("application"), to: now, limit: most}
	if !slices.Contains(applications, q.application) {
		return q, errors.New("no such application")
	}
	for key := range v {
		switch key {
		case "customerId", "startTime", "endTime", "maxResults", "pageToken", "prettyPrint":
		default:
			return q, fmt.Errorf("%s is not understood by this simulation", key)
		}
	}
	if id := v.Get("customerId"); id != "" && id != "my_customer" && id != s.Customer() {
		return q, errors.New("another customer")
	}
	for key, into := range map[string]*time.Time{"startTime": &q.from, "endTime": &q.to} {
		if text := v.Get(key); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return q, err
			}
		}
	}
	switch {
	case !q.from.Before(q.to), !q.from.Before(now):
		return q, errors.New("startTime must be before endTime and now")
	case q.application == "gmail" && (!v.Has("startTime") || !v.Has("endTime") || q.to.Sub(q.from) > 30*24*time.Hour):
		return q, errors.New("gmail wants a window of at most 30 days")
	}
	if text := v.Get("maxResults"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > most {
			return q, errors.New("maxResults must be 1 to 1000")
		}
	}
	q.limit = min(q.limit, s.cfg.Page)
	if text := v.Get("pageToken"); text != "" {
		return q, s.resume(&q, text)
	}
	return q, nil
}

// pageToken names a place in the answer to a query.
func (s *Server) pageToken(q query, at time.Time, id record.GUID) string {
	return base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d %d %s", q.application, q.from.UnixMilli(), q.to.UnixMilli(), at.UnixMilli(), id))
}

// resume goes on where a page token says, which must be of the same query.
func (s *Server) resume(q *query, text string) error {
	stale := errors.New("the page token is not valid")
	s.alter(func() { s.pages++ })
	raw, err := base64.URLEncoding.DecodeString(text)
	words := strings.Split(string(raw), " ")
	if err != nil || len(words) != 5 || !strings.HasPrefix(string(raw), fmt.Sprintf("%s %d %d ", q.application, q.from.UnixMilli(), q.to.UnixMilli())) {
		return stale
	}
	ms, err1 := strconv.ParseInt(words[3], 10, 64)
	id, err2 := record.ParseGUID(words[4])
	s.mu.Lock()
	outlived := s.cfg.Stale > 0 && s.pages%s.cfg.Stale == 0
	s.mu.Unlock()
	if err1 != nil || err2 != nil || outlived {
		return stale
	}
	q.at, q.id, q.after = time.UnixMilli(ms).UTC(), id, true
	return nil
}

// order compares an activity with a place among others.
func order(a *activity, at time.Time, id record.GUID) int {
	if c := a.at.Compare(at); c != 0 {
		return c
	}
	return compare(a.id, id)
}

func compare(a, b record.GUID) int { return bytes.Compare(a[:], b[:]) }
