// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package m365 asks the Office 365 Management Activity API and believes nothing it answers.
//
// It is the one client of the suite's tenant: collectors read with it, the permission
// test uses it, and all of them share its token and its [budget.Budget]. It knows
// addresses, tokens, throttling, paging, error codes and bodies; what to ask when, and what
// to do about a failure, is the caller's. The promises:
//
//   - The token goes to the configured API host and nowhere else; the credential goes to the
//     token endpoint and nowhere else. Links in answers (paging, content) are followed
//     only to that host. Redirects are never followed.
//   - Every request carries the PublisherIdentifier and waits for the budget. A request that
//     is refused because there were too many (AF429, whatever its status) is sent again
//     after the pause, until the context ends. A 401 is answered once with a fresh token.
//     Other failures are the caller's to repeat.
//   - Every failure is an [*Error] with a [Class] that says what to do about it, and a
//     sentence for people. An unknown code is of [ClassRetry]. A context that ended is
//     returned as such.
//   - Listings are read element by element and capped; a page that is too large, too many, cut
//     or malformed is an error, never a shorter page.
//   - Bodies of blobs are streamed and have no limit. They end with io.EOF only if all of them
//     was delivered and the outermost JSON array was closed; otherwise with an error:
//     truncated or trailing bytes, a wrong Content-Length, a damaged or over-compressed gzip
//     stream, no byte for a while, too slow for a while.
//   - No error, log line or sample holds a token or a secret, even if an answer repeats it.
//   - [Client.Now] is the provider's time. All arithmetic on windows is done in it.
//
// Nothing is kept over a restart. Known holes: the rate of the provider's clock is told
// from headers with a resolution of a second, so that [Client.Now] may be off by as much;
// an array that was cut and closed again by hand is not noticed here.
package m365

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Priority says who goes first when the budget is short.
type Priority = budget.Priority

// The limit domain of this API: all its operations of one tenant share one budget.
const Domain = "office365-management-activity"

// Streams are the content types of the API.
var Streams = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}

// Plan is where the API of a cloud is.
type Plan struct{ Name, API, Login string }

// Plans are the clouds that Microsoft documents.
var Plans = []Plan{
	{"enterprise", "https://manage.office.com", "https://login.microsoftonline.com"},
	{"gcc", "https://manage-gcc.office.com", "https://login.microsoftonline.com"},
	{"gcc-high", "https://manage.office365.us", "https://login.microsoftonline.us"},
	{"dod", "https://manage.protection.apps.mil", "https://login.microsoftonline.us"},
}

// Options of a client.
type Options struct {
	Tenant     string // GUID
	Plan       string // a name in [Plans]; empty is enterprise. API and Login override it.
	API        string // base URL; HTTPS, or HTTP on loopback
	Login      string // base URL, likewise
	Scope      string // empty: the plan's API, or the configured one if it has none
	ClientID   string
	Publisher  string // GUID of the tenant of whoever wrote the client; empty is Tenant
	Credential credential.Credential
	Budget     *budget.Budget    // nil: one of its own
	Log        *slog.Logger      // nil: slog.Default
	Transport  http.RoundTripper // nil: what [NewTransport] returns
	Limits     Limits
}

// Limits bound what an answer may do. Zero fields have the defaults.
type Limits struct {
	Stall     time.Duration // no byte for so long is an error; 60 s
	Slow      time.Duration // the stretch over which speed is measured; 60 s
	MinSpeed  int64         // bytes per second over that stretch; 1024
	PageBytes int64         // of a listing's page; 8 MiB, some 20,000 blobs
	PageBlobs int           // elements in a page; 50,000
}

func (l Limits) orDefaults() Limits {
	def := func(v, d int64) int64 {
		if v > 0 {
			return v
		}
		return d
	}
	return Limits{
		Stall:     time.Duration(def(int64(l.Stall), int64(time.Minute))),
		Slow:      time.Duration(def(int64(l.Slow), int64(time.Minute))),
		MinSpeed:  def(l.MinSpeed, 1024),
		PageBytes: def(l.PageBytes, 8<<20),
		PageBlobs: int(def(int64(l.PageBlobs), 50_000)),
	}
}

// Client is safe for concurrent use.
type Client struct {
	tenant, publisher string
	root              *url.URL // …/api/v1.0/TENANT/activity/feed
	http              *http.Client
	budget            *budget.Budget
	tokens            *tokens
	clock             *clock
	log               *slog.Logger
	limits            Limits
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	plan, err := o.place()
	if err != nil {
		return nil, err
	}
	if !guid.MatchString(o.Tenant) {
		return nil, errors.New("tenant must be the directory's GUID, as the Entra overview page shows it")
	}
	if !guid.MatchString(o.ClientID) {
		return nil, errors.New("client id must be the application's GUID, as its registration shows it")
	}
	if o.Publisher == "" {
		o.Publisher = o.Tenant
	}
	if !guid.MatchString(o.Publisher) {
		return nil, errors.New("publisher must be a GUID: that of the tenant of the company that wrote the client")
	}
	api, err := baseURL("API", plan.API)
	if err != nil {
		return nil, err
	}
	login, err := baseURL("login", plan.Login)
	if err != nil {
		return nil, err
	}
	if o.Scope == "" {
		o.Scope = scopeOf(api)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Budget == nil {
		o.Budget = budget.New(budget.Options{})
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	c := &Client{
		tenant: o.Tenant, publisher: o.Publisher, budget: o.Budget, log: o.Log, limits: o.Limits.orDefaults(),
		root:  api.JoinPath("api/v1.0", o.Tenant, "activity/feed"),
		http:  &http.Client{Transport: o.Transport, CheckRedirect: neverRedirect},
		clock: newClock(),
	}
	c.tokens = &tokens{
		endpoint: login.JoinPath(o.Tenant, "oauth2/v2.0/token").String(), scope: o.Scope, clientID: o.ClientID,
		credential: o.Credential, http: c.http, clock: c.clock, log: o.Log, turn: make(chan struct{}, 1),
	}
	return c, nil
}

func neverRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (o Options) place() (Plan, error) {
	name := o.Plan
	if name == "" {
		name = Plans[0].Name
	}
	i := slices.IndexFunc(Plans, func(p Plan) bool { return p.Name == name })
	if i < 0 {
		return Plan{}, fmt.Errorf("there is no plan %q: write enterprise, gcc, gcc-high or dod", name)
	}
	plan := Plans[i]
	if o.API != "" {
		plan.API = o.API
	}
	if o.Login != "" {
		plan.Login = o.Login
	}
	return plan, nil
}

// scopeOf names the API to the token endpoint. A simulator or a proxy stands for the
// enterprise API.
func scopeOf(api *url.URL) string {
	resource := Plans[0].API
	for _, p := range Plans {
		if p.API == "https://"+strings.ToLower(api.Host) {
			resource = p.API
		}
	}
	return resource + "/.default"
}

// baseURL parses a configured address.
func baseURL(what, text string) (*url.URL, error) {
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
		TLSClientConfig:        tlsConfig(),
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

// Budget returns what the client takes from.
func (c *Client) Budget() *budget.Budget { return c.budget }

// Tenant returns the tenant's GUID.
func (c *Client) Tenant() string { return c.tenant }
