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
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Priority says who goes first when the budget is short.
type Priority = budget.Priority

// The limit domain of this API: all its operations of one tenant share one budget.
const Domain = "office365-management-activity"

// Streams are the content types of the API.
var Streams = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}

// RoleOf is the application permission that a stream takes.
func RoleOf(stream string) string {
	if stream == "DLP.All" {
		return "ActivityFeed.ReadDlp"
	}
	return "ActivityFeed.Read"
}

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
	PageBytes  int64 // of a listing's page; 0: 8 MiB, some 20,000 blobs
	PageBlobs  int   // elements in a page; 0: 50,000
	rest.Shared
}

// Client is safe for concurrent use.
type Client struct {
	*rest.Client
	tenant, publisher string
	root              *url.URL // …/api/v1.0/TENANT/activity/feed
	tokens            *rest.OAuth
	pageBytes         int64
	pageBlobs         int
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
	api, err := rest.BaseURL("API", plan.API)
	if err != nil {
		return nil, err
	}
	login, err := rest.BaseURL("login", plan.Login)
	if err != nil {
		return nil, err
	}
	if o.Scope == "" {
		o.Scope = scopeOf(api)
	}
	o.PageBytes, o.PageBlobs = cmp.Or(o.PageBytes, 8<<20), cmp.Or(o.PageBlobs, 50_000)
	o.Shared = o.OrDefaults(0)
	clock := rest.NewClock()
	tokens := rest.NewOAuth(rest.OAuthOptions{
		Name: apiName, Endpoint: login.JoinPath(o.Tenant, "oauth2/v2.0/token").String(), Scope: o.Scope, ClientID: o.ClientID,
		Credential: o.Credential, Transport: o.Transport, Clock: clock, Log: o.Log,
	})
	root := api.JoinPath("api/v1.0", o.Tenant, "activity/feed")
	return &Client{
		Client: rest.New(rest.Options{
			Name: apiName, Root: root, Auth: tokens, Judge: judge, Shared: o.Shared,
		}, clock),
		tenant: o.Tenant, publisher: o.Publisher, root: root, tokens: tokens, pageBytes: o.PageBytes, pageBlobs: o.PageBlobs,
	}, nil
}

// apiName is what errors call the API.
const apiName = "m365"

// Roles asks for a fresh token and returns the application roles in it: see [rest.OAuth.Roles].
func (c *Client) Roles(ctx context.Context) ([]string, error) { return c.tokens.Roles(ctx) }

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

// Tenant returns the tenant's GUID.
func (c *Client) Tenant() string { return c.tenant }
