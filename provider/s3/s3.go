// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package s3 reads a bucket of Amazon S3, or of a store that speaks its protocol, and the public keys that CloudTrail signs
// its digests with. Requests are made and signed by the AWS SDK, whose credential chain it uses; what to read when is the
// caller's (collect/bucket). The promises:
//
//   - It lists and gets, and nothing else: no request of this package changes anything.
//   - Requests go to the host that the endpoint, or the region, stands for. One to another host is refused before it is
//     sent, and redirects are never followed. Tokens for the credential itself (STS, instance metadata, a container's) are
//     fetched by the SDK, from the places that it knows.
//   - Every request waits for the budget. One that is refused because there were too many is sent again after the pause.
//     Other failures are the caller's to repeat: the SDK repeats nothing.
//   - Every failure is a [*rest.Error] with a class and a sentence. A context that ended is returned as such.
//   - Objects are streamed. A body that gives no byte for a while, or ends too soon, ends with an error.
//   - No secret is in an error or a log line.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Domain is the limit domain of the requests.
const Domain = "s3"

// Options of a client.
type Options struct {
	Bucket    string
	Region    string
	Endpoint  string // of a compatible store; empty: Amazon's of the region. HTTPS, or plain HTTP on loopback
	PathStyle bool   // the bucket is the first part of the path and not of the host
	TrailAPI  string // CloudTrail's own API, for the public keys; empty: Amazon's

	// KeyID and Secret are a fixed access key; the secret is read again when the store refuses it. Empty: the SDK's chain:
	// environment, shared files, web identity, container, instance role.
	KeyID  string
	Secret credential.Reference
	// Role is assumed with the credential, with ExternalID if that is not empty.
	Role, ExternalID string

	Budget    *budget.Budget    // nil: one of its own
	Transport http.RoundTripper // nil: [rest.NewTransport]
	Stall     time.Duration     // no byte for so long is an error; 60 s
	Log       *slog.Logger
}

// Client is safe for concurrent use.
type Client struct {
	o       Options
	s3      *s3.Client
	creds   *aws.CredentialsCache
	signer  signer
	clock   *rest.Clock
	budget  *budget.Budget
	expires expiry

	mu     sync.Mutex
	trails map[string]*cloudtrail.Client // by region
}

// New returns a client. It sends nothing to the store.
func New(ctx context.Context, o Options) (*Client, error) {
	if o.Bucket == "" || o.Region == "" {
		return nil, errors.New("s3: bucket and region are needed")
	}
	for what, address := range map[string]string{"API": o.Endpoint, "CloudTrail": o.TrailAPI} {
		if address == "" {
			continue
		}
		if _, err := rest.BaseURL(what, address); err != nil {
			return nil, err
		}
	}
	if o.Budget == nil {
		o.Budget = budget.New(budget.Options{})
	}
	if o.Transport == nil {
		o.Transport = rest.NewTransport()
	}
	if o.Stall <= 0 {
		o.Stall = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	c := &Client{o: o, clock: rest.NewClock(), budget: o.Budget, trails: map[string]*cloudtrail.Client{}}
	var err error
	if c.creds, err = c.credentials(ctx); err != nil {
		return nil, err
	}
	so := s3.Options{
		Region: o.Region, Credentials: c.creds, UsePathStyle: o.PathStyle, Retryer: aws.NopRetryer{}, Logger: logging.Nop{}, HTTPSignerV4: &c.signer,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	params := s3.EndpointParameters{Bucket: &o.Bucket, Region: &o.Region, ForcePathStyle: &o.PathStyle}
	if o.Endpoint != "" {
		so.BaseEndpoint, params.Endpoint = &o.Endpoint, &o.Endpoint
	}
	end, err := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("s3: region %q and bucket %q lead to no address: %w", o.Region, o.Bucket, err)
	}
	so.HTTPClient = c.pinned(end.URI.Host)
	c.s3 = s3.New(so)
	return c, nil
}

// trail is the client of CloudTrail in a region.
func (c *Client) trail(ctx context.Context, region string) (*cloudtrail.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.trails[region]; t != nil {
		return t, nil
	}
	o := cloudtrail.Options{Region: region, Credentials: c.creds, Retryer: aws.NopRetryer{}, Logger: logging.Nop{}, HTTPSignerV4: &c.signer}
	params := cloudtrail.EndpointParameters{Region: &region}
	if c.o.TrailAPI != "" {
		o.BaseEndpoint, params.Endpoint = &c.o.TrailAPI, &c.o.TrailAPI
	}
	end, err := cloudtrail.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("s3: region %q leads to no address of CloudTrail: %w", region, err)
	}
	o.HTTPClient = c.pinned(end.URI.Host)
	t := cloudtrail.New(o)
	c.trails[region] = t
	return t, nil
}

// Object is one of a listing.
type Object struct {
	Key      string
	ETag     string // without quotes
	Size     int64
	Modified time.Time // when the store took it in: LastModified
}

// Page is a part of a listing, in the order of keys.
type Page struct {
	Objects  []Object
	Prefixes []string  // of a listing with a delimiter: what keys have in common up to it
	Next     string    // for the next call; empty: this was the last page
	At       time.Time // the store's time when it was asked, or a little before
}

// Query asks for a page.
type Query struct {
	Prefix    string
	After     string // keys greater than this
	Delimiter string
	Next      string // the former page's
}

// MaxKey is how long a key may be, in bytes (Amazon S3 user guide, "Naming Amazon S3 objects").
const MaxKey = 1024

// List returns a page of at most 1,000 objects.
func (c *Client) List(ctx context.Context, p budget.Priority, q Query) (*Page, error) {
	in := &s3.ListObjectsV2Input{Bucket: &c.o.Bucket, Prefix: &q.Prefix, EncodingType: types.EncodingTypeUrl}
	for _, m := range []struct {
		to   **string
		from string
	}{{&in.StartAfter, q.After}, {&in.Delimiter, q.Delimiter}, {&in.ContinuationToken, q.Next}} {
		if m.from != "" {
			*m.to = &m.from
		}
	}
	page := &Page{}
	var out *s3.ListObjectsV2Output
	err := c.do(ctx, p, "list", func(ctx context.Context) (err error) {
		page.At = c.clock.Now()
		out, err = c.s3.ListObjectsV2(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	decode := func(text string) (string, error) {
		if out.EncodingType == types.EncodingTypeUrl {
			plain, err := url.QueryUnescape(text)
			if err != nil {
				return "", hostile("list", "the listing holds a key that cannot be decoded")
			}
			text = plain
		}
		if len(text) > MaxKey || !strings.HasPrefix(text, q.Prefix) {
			return "", hostile("list", "the listing holds a key that was not asked for, or is longer than 1,024 bytes")
		}
		return text, nil
	}
	for i := range out.Contents {
		o := &out.Contents[i]
		key, err := decode(aws.ToString(o.Key))
		if err != nil {
			return nil, err
		}
		page.Objects = append(page.Objects, Object{key, strings.Trim(aws.ToString(o.ETag), `"`), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)})
	}
	for i := range out.CommonPrefixes {
		prefix, err := decode(aws.ToString(out.CommonPrefixes[i].Prefix))
		if err != nil {
			return nil, err
		}
		page.Prefixes = append(page.Prefixes, prefix)
	}
	if aws.ToBool(out.IsTruncated) {
		page.Next = aws.ToString(out.NextContinuationToken)
		if page.Next == "" || page.Next == q.Next {
			return nil, hostile("list", "the listing says that it goes on, and not where")
		}
	}
	return page, nil
}

// Body is the content of an object, as it is stored.
type Body struct {
	io.ReadCloser
	ETag string            // without quotes
	Meta map[string]string // x-amz-meta-…, by name in lower case
	Size int64             // -1 if the store does not say
}

// Get returns an object. If etag is not empty and the object has another one by now, the error is of
// [rest.ClassExpired]: what was asked for is not there any more.
func (c *Client) Get(ctx context.Context, p budget.Priority, key, etag string) (*Body, error) {
	in := &s3.GetObjectInput{Bucket: &c.o.Bucket, Key: &key}
	if etag != "" {
		quoted := `"` + etag + `"`
		in.IfMatch = &quoted
	}
	var out *s3.GetObjectOutput
	err := c.do(ctx, p, "get", func(ctx context.Context) (err error) {
		out, err = c.s3.GetObject(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	b := &Body{ReadCloser: &reader{out.Body, ctx, c}, ETag: strings.Trim(aws.ToString(out.ETag), `"`), Meta: map[string]string{}, Size: -1}
	if out.ContentLength != nil {
		b.Size = *out.ContentLength
	}
	for name, value := range out.Metadata {
		b.Meta[strings.ToLower(name)] = value
	}
	return b, nil
}

// reader makes errors of a body [*rest.Error]s.
type reader struct {
	io.ReadCloser
	ctx context.Context //nolint:containedctx // of the request that the body belongs to
	c   *Client
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.c.fault(r.ctx, "get", err)
	}
	return n, err
}

// Key is a public key that CloudTrail signs digests with.
type Key struct {
	Fingerprint string
	DER         []byte // PKCS #1
}

// PublicKeys returns the keys that were good in a region in some of [from, to].
func (c *Client) PublicKeys(ctx context.Context, p budget.Priority, region string, from, to time.Time) (keys []Key, err error) {
	t, err := c.trail(ctx, region)
	if err != nil {
		return nil, &rest.Error{API: "cloudtrail", Op: "keys", Class: rest.ClassAdmin, Message: err.Error()}
	}
	var next *string
	for range 100 {
		var out *cloudtrail.ListPublicKeysOutput
		err := c.do(ctx, p, "keys", func(ctx context.Context) (err error) {
			out, err = t.ListPublicKeys(ctx, &cloudtrail.ListPublicKeysInput{StartTime: &from, EndTime: &to, NextToken: next})
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := range out.PublicKeyList {
			keys = append(keys, Key{aws.ToString(out.PublicKeyList[i].Fingerprint), out.PublicKeyList[i].Value})
		}
		if next = out.NextToken; aws.ToString(next) == "" {
			return keys, nil
		}
	}
	return nil, hostile("keys", "the list of keys does not end")
}

// do makes a request until it is not refused for too many. One that came at a wrong time is sent once more: the SDK has
// learned the right one from the answer.
func (c *Client) do(ctx context.Context, p budget.Priority, op string, send func(context.Context) error) error {
	for skewed := false; ; {
		grant, err := c.budget.Wait(ctx, p)
		if err != nil {
			return err
		}
		err = send(ctx)
		if err == nil {
			grant.Answered()
			return nil
		}
		err = c.fault(ctx, op, err)
		e := (*rest.Error)(nil)
		switch {
		case !errors.As(err, &e):
			return err // the context's
		case e.Class == rest.ClassThrottled:
			grant.Refused(e.RetryAfter)
		case e.Code == timeSkewed && !skewed:
			grant.Answered()
			skewed = true
		default:
			if e.Status != 0 {
				grant.Answered()
			}
			if e.Class == rest.ClassAuth {
				c.creds.Invalidate() // it is read anew at the next try
				c.signer.forget()
			}
			return err
		}
	}
}

// Now is the store's time, as its answers tell it.
func (c *Client) Now() time.Time { return c.clock.Now() }

// Skew is how far the store's clock is ahead of the machine's.
func (c *Client) Skew() time.Duration { return c.clock.Skew() }

// Heard reports whether the store has answered yet.
func (c *Client) Heard() bool { return c.clock.Heard() }

// Budget returns what the client takes from.
func (c *Client) Budget() *budget.Budget { return c.budget }

// Expires is when the credential ends that is used now; zero if it does not, or there is none yet.
func (c *Client) Expires() time.Time { return c.expires.get() }

// Pause is how long nobody may ask now, and how long that was in all.
func (c *Client) Pause() (now, all time.Duration) {
	s := c.budget.Status()
	return s.Pause, s.Paused
}
