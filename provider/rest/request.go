// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
)

const (
	userAgent    = "daybreak (+https://github.com/daybreak-sec/daybreak)"
	MaxErrorBody = 64 << 10 // bytes of an answer that is no page
)

// Call is one operation on the API.
type Call struct {
	Op     string // a word for errors
	Method string
	URL    *url.URL // of the API: see [Client.Follow]
	Body   []byte   // JSON, unless Header says otherwise; nil for none
	Accept string   // "[", "{" or "[{": what the answer begins with; empty: "[{"
	// Done, if not zero, is the status with which the API says that what was asked is done, or will be, and nothing else
	// (RFC 9110, 202 and 204): no other is taken for it.
	Done int
	// Records says that the answer is a list of records, or an object that has one: see [Page.LeftOut].
	Records bool
	// Header is added to what every request has.
	Header http.Header
}

// Answer is what came back with status 200, or 201 of what was made, or the one that the call wants. The caller closes its body.
type Answer struct {
	Body   *Body
	Header http.Header
	At     time.Time // the provider's time when it was asked, or a little before

	leftOut []LeftOut
}

// Do sends a call until there is an answer that is not a refusal for too many requests. A
// 401 is answered once with a fresh token.
func (c *Client) Do(ctx context.Context, p budget.Priority, k Call) (*Answer, error) {
	refused := ""
	for {
		grant, err := c.budget.Wait(ctx, p)
		if err != nil {
			return nil, err
		}
		token, err := c.auth.Token(ctx, refused)
		if err != nil {
			return nil, err
		}
		if !grant.Valid() {
			continue // a pause began while we had no token
		}
		a, err := c.send(ctx, k, token)
		e := (*Error)(nil)
		switch {
		case err == nil:
			grant.Answered()
			c.auth.Accepted()
			return a, nil
		case !errors.As(err, &e):
			return nil, err // the context's
		case e.Class == ClassThrottled:
			until := grant.Refused(e.RetryAfter)
			c.log.Debug("throttled", "op", k.Op, "priority", p.String(), "pause", time.Until(until).Round(time.Millisecond))
		case e.Status == http.StatusUnauthorized && refused == "":
			grant.Answered()
			refused = token
		default:
			if e.Status != 0 {
				grant.Answered()
			}
			return nil, err
		}
	}
}

// send sends a call once. The body of the answer has begun to arrive and looks like
// what was asked for: JSON.
func (c *Client) send(ctx context.Context, k Call, token string) (*Answer, error) {
	body := newBody(ctx, c, k.Op, token)
	req, err := http.NewRequestWithContext(body.ctx, k.Method, k.URL.String(), bytes.NewReader(k.Body))
	if err != nil {
		body.Close()
		return nil, &Error{API: c.name, Op: k.Op, Class: ClassHostile, Message: "the address cannot be used"}
	}
	if k.Body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	req.Header.Set("Authorization", c.auth.Header(token))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", userAgent)
	for name, values := range k.Header {
		req.Header[name] = values
	}
	known, before, asked := c.clock.known(), c.clock.now(), time.Now()
	body.watch()
	res, err := c.http.Do(req)
	body.unwatch()
	if err != nil {
		err = body.fail(err)
		body.Close()
		return nil, err
	}
	a := &Answer{Body: body, Header: res.Header, At: before}
	// The header's time is no later than the end of the answer, our own reckoning no
	// later than its beginning: the earlier of the two is safe to say. That the server fails may be said by whatever stands before it.
	if date, ok := c.clock.observe(res.Header, asked, time.Now(), res.StatusCode < http.StatusInternalServerError); ok && (!known || date.Before(before)) {
		a.At = date
	}
	body.open(res)
	if err := c.check(res, body, k); err != nil {
		body.Close()
		return nil, err
	}
	return a, nil
}

// check returns the error that an answer is, if it is one. It may look at the
// beginning of the body but takes nothing from a good one.
func (c *Client) check(res *http.Response, body *Body, k Call) error {
	e := &Error{API: c.name, Op: body.op, Status: res.StatusCode, RetryAfter: c.retryAfter(res.Header)}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		e.Message, e.Action = "the answer is a redirect, which is never followed", "check the API address, and that no proxy or captive portal answers in its place"
		return e
	}
	switch {
	case k.Done != 0 && res.StatusCode == k.Done:
		return nil
	case k.Done != 0 && res.StatusCode < 300:
		e.Message, e.Action = "the answer is not the one that says that it is done", "check that no proxy answers in place of the API"
		return e
	}
	if (res.StatusCode == http.StatusOK || res.StatusCode == http.StatusCreated) && body.err == nil {
		first, err := body.first()
		if err != nil {
			return err
		}
		if strings.IndexByte(cmp.Or(k.Accept, "[{"), first) >= 0 {
			return nil
		}
	}
	text, err := body.rest(MaxErrorBody)
	if ctxErr := body.parent.Err(); ctxErr != nil {
		return ctxErr
	}
	if err != nil && res.StatusCode == http.StatusOK {
		return err
	}
	text = body.Hide(text)
	e.Code, e.Message = c.explain(text)
	c.judge(e)
	switch {
	case e.Code != "":
	case res.StatusCode == http.StatusOK && e.Class == ClassRetry:
		e.Message = "the answer is not the JSON that was expected: " + kind(res, text)
		e.Action = "check that no proxy answers in place of the API"
	case e.Message == "":
		e.Message = http.StatusText(res.StatusCode)
	}
	if !e.Known {
		e.Sample = SampleOf(text)
	}
	return e
}

// Tell sends a call whose answer is its status: k.Done.
func (c *Client) Tell(ctx context.Context, p budget.Priority, k Call) error {
	a, err := c.Do(ctx, p, k)
	if err != nil {
		return err
	}
	return a.Body.Close()
}

// kind says in a word what an answer is that should have been JSON.
func kind(res *http.Response, text []byte) string {
	switch trimmed := bytes.TrimSpace(text); {
	case len(trimmed) == 0:
		return "it is empty"
	case trimmed[0] == '<' || strings.Contains(strings.ToLower(res.Header.Get("Content-Type")), "html"):
		return "it is HTML"
	case trimmed[0] == '{':
		return "it is an object"
	}
	return "it is something else"
}

// RetryAfter reads the header of that name in both of its forms. The date is compared with the
// answer's own, so that a clock that is wrong does not matter.
func RetryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0) || math.IsInf(seconds, 0) {
			return 0
		}
		return time.Duration(min(seconds, 86400) * float64(time.Second))
	}
	until, err1 := http.ParseTime(text)
	date, err2 := http.ParseTime(h.Get("Date"))
	if err1 != nil || err2 != nil {
		return 0
	}
	return min(max(0, until.Sub(date)), 24*time.Hour)
}

// networkMessage is what went wrong without the URL, which may be long.
func networkMessage(err error) string {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	return Line(err.Error())
}

// rest reads what is left, at most n bytes, for an error.
func (b *Body) rest(n int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(readerFunc(b.read), n))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
