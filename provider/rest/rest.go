// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package rest asks a provider's HTTP API and believes nothing that it answers.
//
// It is what the clients of the suites have in common (provider/m365, provider/graph, …): tokens, the budget, redirects,
// throttling, bodies, the provider's clock. Paths, codes and shapes are theirs; what to ask when, and what to do about a
// failure, is the caller's. The promises:
//
//   - The credential goes to the token endpoint and nowhere else, the token to the configured API host and nowhere else.
//     Links in answers are followed only to that host ([Client.Follow]). Redirects are never followed.
//   - Every request waits for the budget. One that is refused because there were too many is sent again after the pause,
//     until the context ends. A 401 is answered once with a fresh token. Other failures are the caller's to repeat.
//   - Every failure is an [*Error] with a [Class] that says what to do about it, and a sentence for people. An unknown
//     code is of [ClassRetry]. A context that ended is returned as such.
//   - Bodies are streamed. They end with io.EOF only if all of them was delivered and the outermost JSON value was closed;
//     otherwise with an error: truncated or trailing bytes, a wrong Content-Length, a damaged or over-compressed gzip
//     stream, no byte for a while, too slow for a while.
//   - No error, log line or sample holds a token or a secret, even if an answer repeats it.
//   - [Client.Now] is the provider's time. All arithmetic on windows is done in it.
//
// Nothing is kept over a restart. Known holes: the rate of the provider's clock is told from headers with a resolution
// of a second, so that [Client.Now] may be off by as much; an array that was cut and closed again by hand is not noticed.
package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Options of a client.
type Options struct {
	Name string   // of the API in errors: "m365"
	Root *url.URL // of the API: the token goes to its host alone; see [BaseURL]
	// Auth authorizes the requests.
	Auth Auth
	// Explain reads the code and the message out of the body of a refusal; nil: [Explain].
	Explain func(body []byte) (code, message string)
	// Judge fills in the class and what a person should do, of an error that has its status, code and message; nil
	// judges by the status.
	Judge func(e *Error)
	// RetryAfter reads how long to wait from the headers of a refusal; nil: Retry-After.
	RetryAfter func(h http.Header) time.Duration
	Shared
}

// Shared are the options that the clients of all APIs have.
type Shared struct {
	Budget    *budget.Budget    // nil: one of its own
	Log       *slog.Logger      // nil: slog.Default
	Transport http.RoundTripper // nil: what [NewTransport] returns
	Limits    Limits
}

// OrDefaults fills in what is not given: a budget is of perMinute requests.
func (s Shared) OrDefaults(perMinute int) Shared {
	if s.Budget == nil {
		s.Budget = budget.New(budget.Options{PerMinute: perMinute})
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	if s.Transport == nil {
		s.Transport = NewTransport()
	}
	return s
}

// Auth authorizes requests. It is safe for concurrent use.
type Auth interface {
	// Token returns what proves who we are. refused is a token that the API did not accept: if it is still the newest,
	// another one is asked for, once; if the API takes none, ever more rarely. Errors are [*Error] or the context's.
	Token(ctx context.Context, refused string) (string, error)
	// Header is what goes into Authorization for a token.
	Header(token string) string
	// Accepted tells that the API has taken the newest token.
	Accepted()
	// Current is the newest token, to be hidden where it comes back; empty if there is none.
	Current() credential.Secret
	// Expires is when the newest token ends, by our clock; zero if there is none or it does not end.
	Expires() time.Time
}

// Limits bound what an answer may do. Zero fields have the defaults.
type Limits struct {
	Stall    time.Duration // no byte for so long is an error; 60 s
	Slow     time.Duration // the stretch over which speed is measured; 60 s
	MinSpeed int64         // bytes per second over that stretch; 1024
}

func (l Limits) orDefaults() Limits {
	def := func(v, d int64) int64 {
		if v > 0 {
			return v
		}
		return d
	}
	return Limits{
		Stall:    time.Duration(def(int64(l.Stall), int64(time.Minute))),
		Slow:     time.Duration(def(int64(l.Slow), int64(time.Minute))),
		MinSpeed: def(l.MinSpeed, 1024),
	}
}

// Client is safe for concurrent use.
type Client struct {
	name       string
	root       *url.URL
	http       *http.Client
	auth       Auth
	budget     *budget.Budget
	clock      *Clock
	log        *slog.Logger
	limits     Limits
	explain    func([]byte) (code, message string)
	judge      func(*Error)
	retryAfter func(http.Header) time.Duration
}

// New returns a client. It sends nothing. clock is the one that o.Auth uses too, if it uses one.
func New(o Options, clock *Clock) *Client {
	o.Shared = o.OrDefaults(0)
	if o.Explain == nil {
		o.Explain = Explain
	}
	if o.Judge == nil {
		o.Judge = (*Error).ByStatus
	}
	if o.RetryAfter == nil {
		o.RetryAfter = RetryAfter
	}
	return &Client{
		name: o.Name, root: o.Root, auth: o.Auth, budget: o.Budget, log: o.Log, limits: o.Limits.orDefaults(), clock: clock,
		explain: o.Explain, judge: o.Judge, retryAfter: o.RetryAfter,
		http: &http.Client{Transport: o.Transport, CheckRedirect: neverRedirect},
	}
}

func neverRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// BaseURL parses a configured address, which what names: HTTPS, or plain HTTP on loopback.
func BaseURL(what, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("%s address cannot be read: write it as https://HOST", what)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s address must have no user, query or fragment: write it as https://HOST", what)
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, fmt.Errorf("%s address %s://%s is not encrypted: write https (http is for loopback only)", what, u.Scheme, u.Host)
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// NewTransport returns the transport of a client that was given none: proxy from the
// environment, TLS 1.2 or newer, room for a few dozen parallel fetches, and no limit on a
// whole answer, since a blob may be long.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		DisableCompression:     true, // gzip is asked for, read and checked here
		MaxIdleConns:           128,
		MaxIdleConnsPerHost:    48,
		IdleConnTimeout:        90 * time.Second,
		ReadBufferSize:         64 << 10,
		MaxResponseHeaderBytes: 1 << 20, // paging links have been seen beyond 8 KiB
	}
}

// Now is the provider's time, as its answers tell it; before the first one, the
// machine's.
func (c *Client) Now() time.Time { return c.clock.now() }

// Skew is how far the provider's clock is ahead of the machine's.
func (c *Client) Skew() time.Duration { return c.clock.skew() }

// Heard reports whether the API has answered yet, so that [Client.Now] is its time.
func (c *Client) Heard() bool { return c.clock.known() }

// Budget returns what the client takes from.
func (c *Client) Budget() *budget.Budget { return c.budget }

// TokenExpires is when the newest token ends, by our clock; zero if there is none.
func (c *Client) TokenExpires() time.Time { return c.auth.Expires() }

// Pause is how long nobody may ask now, and how long that was in all.
func (c *Client) Pause() (now, all time.Duration) {
	s := c.budget.Status()
	return s.Pause, s.Paused
}

// MaxLink is how long a link in an answer may be, in bytes. Links of 32 KiB have to work.
const MaxLink = 64 << 10

// Follow turns a link out of an answer into a URL that may be given the token: one on the API's own host. Its path
// and query are left as they came.
func (c *Client) Follow(op, link string) (*url.URL, error) {
	hostile := func(message string) error {
		return &Error{API: c.name, Op: op, Class: ClassHostile, Message: message, Sample: SampleOf(hide([]byte(link), c.auth.Current().Reveal()))}
	}
	if len(link) > MaxLink {
		return nil, hostile("the answer holds a link of more than 64 KiB")
	}
	u, err := url.Parse(link)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return nil, hostile("the answer holds a link that is no absolute URL")
	}
	if u.User != nil || u.Scheme != c.root.Scheme || origin(u) != origin(c.root) {
		return nil, hostile("the answer holds a link to another host, which is not followed")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// origin is host and port in one spelling.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) + ":" + port
}

// Answered reports whether the API has said anything: err is nil, or the error that its answer was.
func Answered(err error) bool {
	var e *Error
	return err == nil || errors.As(err, &e) && e.Status != 0
}
