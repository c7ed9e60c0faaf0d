// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// timeForm is how the API takes times; it has no fractions and no zone.
const timeForm = "2006-01-02T15:04:05"

// address builds the URL of an operation.
func (c *Client) address(op string, query url.Values) *url.URL {
	u := c.root.JoinPath(op)
	query.Set(publisherKey, c.publisher)
	u.RawQuery = query.Encode()
	return u
}

const publisherKey = "PublisherIdentifier"

// follow turns a link out of an answer into a URL that may be given the token: one on
// the API's own host. Its path and query are left as they came; only the publisher is added.
func (c *Client) follow(op, link string) (*url.URL, error) {
	u, err := c.Follow(op, link)
	if err != nil {
		return nil, err
	}
	// Where the link's own spelling can be kept, it is: paging keys are opaque.
	if !hasPublisher(u.RawQuery) {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += publisherKey + "=" + c.publisher
	}
	return u, nil
}

// hasPublisher looks for the publisher in a query without decoding the rest of it.
func hasPublisher(query string) bool {
	for part := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(part, "="); strings.EqualFold(key, publisherKey) {
			return true
		}
	}
	return false
}

// nextLink finds the link to the next page. Documentation and service spell the
// header in more than one way.
func nextLink(h http.Header) string {
	for _, want := range []string{"NextPageUri", "NextPageUrl"} {
		for name, values := range h {
			if strings.EqualFold(name, want) && len(values) > 0 && values[0] != "" {
				return values[0]
			}
		}
	}
	return ""
}

// parseTime reads the times of an answer, which may lack a zone: then it is UTC.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse(timeForm, text) // accepts a fraction
	}
	return t.UTC(), err
}
