// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package client speaks the HTTP API of `daybreak serve`. The command line uses
// it for everything that a running server can answer; other programs may too.
//
//	c := client.New("http://127.0.0.1:8674", token)
//	err := c.Search(ctx, client.Search{Query: "op:New-InboxRule"}, func(hit json.RawMessage) error { … })
//
// Answers that may be long (search, tail) are handed over piece by piece.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

// maxAnswer caps an answer that is read whole. A proof of the largest record,
// 1 GiB in base64, is read by Prove in another way.
const maxAnswer = 64 << 20

// Client is a client of one server. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New returns a client of the server at base, "http://127.0.0.1:8674", that
// shows this token.
func New(base, token string) *Client {
	return &Client{base: strings.TrimSuffix(base, "/"), token: token, http: &http.Client{}}
}

// InProcess returns a client whose requests go straight to a handler, without a
// network and without a token.
func InProcess(h http.Handler) *Client {
	return &Client{base: "http://in-process", http: &http.Client{Transport: &direct{h: h}}}
}

// Close waits for the handlers of a client in the same process to end, and gives
// up idle connections of any other. Answers must have been read or closed.
func (c *Client) Close() {
	if d, ok := c.http.Transport.(*direct); ok {
		d.running.Wait()
	}
	c.http.CloseIdleConnections()
}

// Error is a refusal by the server.
type Error struct {
	Status int    // HTTP status
	Detail string // one sentence
}

func (e *Error) Error() string { return e.Detail }

// StatusOf returns the HTTP status of a refusal, 0 if err is none.
func StatusOf(err error) int {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Search is a question. Zero times leave that side open; zero Limit stands for
// the server's default.
type Search struct {
	Query        string
	Since, Until time.Time
	Limit        int
	Full         bool // whole events, and not only their columns
}

// Search calls header once and then hit for each result in order: a [v1.Hit],
// or an object with the header's columns.
func (c *Client) Search(ctx context.Context, s Search, header func(v1.SearchHeader) error, hit func(json.RawMessage) error) (v1.SearchTrailer, error) {
	q := url.Values{"q": {s.Query}}
	if !s.Since.IsZero() {
		q.Set("since", s.Since.UTC().Format(time.RFC3339Nano))
	}
	if !s.Until.IsZero() {
		q.Set("until", s.Until.UTC().Format(time.RFC3339Nano))
	}
	if s.Limit > 0 {
		q.Set("limit", strconv.Itoa(s.Limit))
	}
	if s.Full {
		q.Set("full", "true")
	}
	res, err := c.do(ctx, http.MethodGet, "/api/v1/search?"+q.Encode(), nil, "")
	if err != nil {
		return v1.SearchTrailer{}, err
	}
	defer res.Body.Close()
	trailer, err := readSearch(res.Body, header, hit)
	if err == nil && trailer.Error != "" {
		err = &Error{http.StatusInternalServerError, trailer.Error}
	}
	return trailer, err
}

// readSearch reads a search's answer without holding it: the header's fields
// stand before "results", the trailer's after it.
func readSearch(r io.Reader, header func(v1.SearchHeader) error, hit func(json.RawMessage) error) (v1.SearchTrailer, error) {
	d := json.NewDecoder(r)
	var trailer v1.SearchTrailer
	if _, err := d.Token(); err != nil {
		return trailer, broken(err)
	}
	fields := map[string]json.RawMessage{}
	results := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return trailer, broken(err)
		}
		if name != "results" {
			var v json.RawMessage
			if err := d.Decode(&v); err != nil {
				return trailer, broken(err)
			}
			fields[fmt.Sprint(name)] = v
			continue
		}
		results = true
		var h v1.SearchHeader
		if err := assemble(fields, &h); err != nil {
			return trailer, err
		}
		if err := header(h); err != nil {
			return trailer, err
		}
		if err := each(d, hit); err != nil {
			return trailer, err
		}
	}
	if _, err := d.Token(); err != nil || !results {
		return trailer, broken(err)
	}
	return trailer, assemble(fields, &trailer)
}

// each reads an array and calls f for each of its elements.
func each(d *json.Decoder, f func(json.RawMessage) error) error {
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	for d.More() {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return broken(err)
		}
		if err := f(v); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	return nil
}

func assemble(fields map[string]json.RawMessage, into any) error {
	b, err := json.Marshal(fields)
	if err != nil {
		return broken(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return broken(err)
	}
	return nil
}

func broken(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the server's answer ends too early")
	}
	return fmt.Errorf("the server's answer cannot be read: %w", err)
}

// Tail calls hit for each new event that matches the query, until ctx ends, hit
// fails or the server stops.
func (c *Client) Tail(ctx context.Context, query string, full bool, hit func(v1.Hit) error) error {
	q := url.Values{"q": {query}, "full": {strconv.FormatBool(full)}}
	res, err := c.do(ctx, http.MethodGet, "/api/v1/tail?"+q.Encode(), nil, "")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	d := json.NewDecoder(res.Body)
	for {
		var h v1.Hit
		if err := d.Decode(&h); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, io.EOF) {
				return errors.New("the server has stopped")
			}
			return broken(err)
		}
		if h.ID == "" {
			continue // a sign of life
		}
		if err := hit(h); err != nil {
			return err
		}
	}
}

// Event returns one event with its raw record.
func (c *Client) Event(ctx context.Context, id string) (v1.Event, error) {
	var e v1.Event
	return e, c.get(ctx, "/api/v1/events/"+url.PathEscape(id), &e)
}

// Prove writes the evidence bundle of one event to w.
func (c *Client) Prove(ctx context.Context, id string, w io.Writer) error {
	res, err := c.do(ctx, http.MethodGet, "/api/v1/events/"+url.PathEscape(id)+"/proof", nil, "")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(w, res.Body)
	return err
}

// Import is a request to take records in.
type Import struct {
	Name   string // base name of the file
	Source string // empty or "auto": told from each record
	Tenant string // of records that do not say theirs
	Body   io.Reader
}

// Import uploads records and returns when they are stored and searchable.
func (c *Client) Import(ctx context.Context, in Import) (v1.ImportResult, error) {
	q := url.Values{"name": {in.Name}, "source": {in.Source}, "tenant": {in.Tenant}}
	for k, v := range q {
		if v[0] == "" {
			delete(q, k)
		}
	}
	var out v1.ImportResult
	res, err := c.do(ctx, http.MethodPost, "/api/v1/import?"+q.Encode(), in.Body, "application/octet-stream")
	if err != nil {
		return out, err
	}
	return out, decode(res, &out)
}

// Status returns the state of the server.
func (c *Client) Status(ctx context.Context) (v1.Status, error) {
	var s v1.Status
	return s, c.get(ctx, "/api/v1/status", &s)
}

// Coverage asks what was logged; zero times leave it to the server, which takes
// the last day.
func (c *Client) Coverage(ctx context.Context, since, until time.Time) (v1.Coverage, error) {
	var v v1.Coverage
	return v, c.get(ctx, "/api/v1/coverage?"+period(since, until).Encode(), &v)
}

// Channels asks how channels that show the same acts agree; zero times are the last day.
func (c *Client) Channels(ctx context.Context, since, until time.Time) (v1.Channels, error) {
	var v v1.Channels
	return v, c.get(ctx, "/api/v1/coverage/channels?"+period(since, until).Encode(), &v)
}

// period is how a request says its time.
func period(since, until time.Time) url.Values {
	q := url.Values{}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339Nano))
	}
	if !until.IsZero() {
		q.Set("until", until.UTC().Format(time.RFC3339Nano))
	}
	return q
}

// Canaries returns how the canaries stand.
func (c *Client) Canaries(ctx context.Context) (v1.Canaries, error) {
	var v v1.Canaries
	return v, c.get(ctx, "/api/v1/canaries", &v)
}

// Controls returns how everything stands that can switch logging off.
func (c *Client) Controls(ctx context.Context) (v1.Controls, error) {
	var v v1.Controls
	return v, c.get(ctx, "/api/v1/controls", &v)
}

// Statement asks for the signed coverage statement, of one tenant if one is named,
// and returns the document as it was signed.
func (c *Client) Statement(ctx context.Context, tenant string, since, until time.Time) ([]byte, error) {
	return c.document(ctx, "/api/v1/coverage/statement", url.Values{"tenant": {tenant}}, since, until)
}

// Scorecard asks for the signed vendor scorecard and returns the document as it was
// signed; targets is a JSON list, or empty.
func (c *Client) Scorecard(ctx context.Context, targets string, since, until time.Time) ([]byte, error) {
	return c.document(ctx, "/api/v1/scorecard", url.Values{"targets": {targets}}, since, until)
}

// document returns a signed document, byte by byte.
func (c *Client) document(ctx context.Context, path string, q url.Values, since, until time.Time) ([]byte, error) {
	for name := range q {
		if q.Get(name) == "" {
			q.Del(name)
		}
	}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339Nano))
	}
	if !until.IsZero() {
		q.Set("until", until.UTC().Format(time.RFC3339Nano))
	}
	res, err := c.do(ctx, http.MethodGet, path+"?"+q.Encode(), nil, "")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// Picked picks incidents; what is zero picks all.
type Picked struct {
	States       []string
	Level        string // this one or a graver one
	Since, Until time.Time
	Limit        int
}

// Incidents returns incidents as the API has them, the one with the latest alert first.
func (c *Client) Incidents(ctx context.Context, p Picked) (list json.RawMessage, err error) {
	q := url.Values{}
	if len(p.States) > 0 {
		q.Set("state", strings.Join(p.States, ","))
	}
	if p.Level != "" {
		q.Set("level", p.Level)
	}
	if !p.Since.IsZero() {
		q.Set("since", p.Since.UTC().Format(time.RFC3339Nano))
	}
	if !p.Until.IsZero() {
		q.Set("until", p.Until.UTC().Format(time.RFC3339Nano))
	}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return list, c.get(ctx, "/api/v1/incidents?"+q.Encode(), &list)
}

// Incident returns one incident, with all that is known of it, as the API has it.
func (c *Client) Incident(ctx context.Context, id string) (in json.RawMessage, err error) {
	return in, c.get(ctx, "/api/v1/incidents/"+url.PathEscape(id), &in)
}

// Person returns somebody's addresses and accounts in all suites, with the evidence.
func (c *Client) Person(ctx context.Context, name string) (p json.RawMessage, err error) {
	return p, c.get(ctx, "/api/v1/people/"+url.PathEscape(name), &p)
}

// Session returns what a session did, and what is to be seen beside it. Zero times leave a side open.
func (c *Client) Session(ctx context.Context, id string, since, until time.Time) (s json.RawMessage, err error) {
	q := url.Values{}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339Nano))
	}
	if !until.IsZero() {
		q.Set("until", until.UTC().Format(time.RFC3339Nano))
	}
	return s, c.get(ctx, "/api/v1/sessions/"+url.PathEscape(id)+"?"+q.Encode(), &s)
}

// Readiness has requirements judged, of a tenant and a group of people if they are named, and returns the signed document.
func (c *Client) Readiness(ctx context.Context, requirements, tenant, group string) ([]byte, error) {
	text, err := json.Marshal(map[string]string{"requirements": requirements, "tenant": tenant, "group": group})
	if err != nil {
		return nil, err
	}
	res, err := c.do(ctx, http.MethodPost, "/api/v1/readiness", bytes.NewReader(text), "application/json")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	doc, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, broken(err)
	}
	return doc, nil
}

// Backtest asks what rules would have found in the stored history.
func (c *Client) Backtest(ctx context.Context, r v1.BacktestRequest) (out v1.Backtest, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return out, err
	}
	res, err := c.do(ctx, http.MethodPost, "/api/v1/rules/backtest", bytes.NewReader(text), "application/json")
	if err != nil {
		return out, err
	}
	return out, decode(res, &out)
}

// Decision is what a person wants of an incident: see the API's document.
type Decision struct {
	By       string   `json:"by"`
	State    string   `json:"state,omitempty"`
	Assignee *string  `json:"assignee,omitempty"`
	Note     string   `json:"note,omitempty"`
	Split    []string `json:"split,omitempty"`
	Merge    string   `json:"merge,omitempty"`
}

// Decide changes an incident and returns it in a line, as it is then.
func (c *Client) Decide(ctx context.Context, id string, d Decision) (in json.RawMessage, err error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	res, err := c.do(ctx, http.MethodPost, "/api/v1/incidents/"+url.PathEscape(id)+"/decisions", bytes.NewReader(text), "application/json")
	if err != nil {
		return nil, err
	}
	return in, decode(res, &in)
}

// DeadLetters returns the messages about incidents that are not tried any more.
func (c *Client) DeadLetters(ctx context.Context) (list []v1.DeadLetter, err error) {
	return list, c.get(ctx, "/api/v1/notify/dead", &list)
}

// TellAgain has one of them tried again, as if it were new, and returns those that are left.
func (c *Client) TellAgain(ctx context.Context, id int64) ([]v1.DeadLetter, error) {
	return c.ofDead(ctx, id, "again")
}

// Discard forgets one of them, and returns those that are left.
func (c *Client) Discard(ctx context.Context, id int64) ([]v1.DeadLetter, error) {
	return c.ofDead(ctx, id, "discard")
}

func (c *Client) ofDead(ctx context.Context, id int64, what string) (left []v1.DeadLetter, err error) {
	res, err := c.do(ctx, http.MethodPost, fmt.Sprintf("/api/v1/notify/dead/%d/%s", id, what), nil, "")
	if err != nil {
		return nil, err
	}
	return left, decode(res, &left)
}

// Checkpoint returns the log's latest signed checkpoint.
func (c *Client) Checkpoint(ctx context.Context) (string, error) {
	res, err := c.do(ctx, http.MethodGet, "/api/v1/checkpoint", nil, "")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return string(b), err
}

// RotateKey replaces the log's signing key and returns the new verifier key.
func (c *Client) RotateKey(ctx context.Context) (string, error) {
	var out v1.Rotated
	res, err := c.do(ctx, http.MethodPost, "/api/v1/key/rotate", nil, "")
	if err != nil {
		return "", err
	}
	return out.Key, decode(res, &out)
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	res, err := c.do(ctx, http.MethodGet, path, nil, "")
	if err != nil {
		return err
	}
	return decode(res, into)
}

func decode(res *http.Response, into any) error {
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(into); err != nil {
		return broken(err)
	}
	return nil
}

// do sends a request and turns a refusal into an [Error].
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, contentType string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err // the address holds the query; people know it
		}
		return nil, fmt.Errorf("the server at %s: %w", c.base, err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	var problem struct {
		Detail string `json:"detail"`
		Title  string `json:"title"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if json.Unmarshal(b, &problem) != nil || problem.Detail == "" {
		problem.Detail = fmt.Sprintf("the server answers %s", res.Status)
	}
	for _, e := range problem.Errors {
		problem.Detail += fmt.Sprintf(": %s %s", e.Location, e.Message)
	}
	return nil, &Error{res.StatusCode, problem.Detail}
}
