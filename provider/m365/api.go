// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Webhook is where the API announces new content. What it posts there is a hint and no
// more: nothing signs it.
type Webhook struct {
	Address    string
	AuthID     credential.Secret // comes back in a header of each announcement
	Expiration time.Time         // zero: never
	Status     string            // enabled, disabled, expired; empty if the answer does not say
}

// Subscription is the tenant's to one content type.
type Subscription struct {
	ContentType, Status string // Status: enabled or disabled; empty if the answer does not say
	Webhook             *Webhook
}

// Enabled reports whether content is being made.
func (s Subscription) Enabled() bool { return s.Status == "" || s.Status == "enabled" }

// Blob is one piece of content: an immutable array of records.
type Blob struct {
	ContentType, ID, URI string
	Created, Expires     time.Time // when it was offered; until when it can be had (zero: not said)
}

// Page is one page of a listing.
type Page struct {
	Blobs []Blob
	Next  string    // for the next call of [Client.Content]; empty: this was the last one
	At    time.Time // the provider's time when it was asked for, or a little before
}

// Start starts the subscription to a content type, or changes its webhook; without one
// a webhook that is there is removed. That it was enabled already is a success. The
// documentation asks for 15 minutes between two of these calls.
func (c *Client) Start(ctx context.Context, p Priority, contentType string, hook *Webhook) (Subscription, error) {
	k := rest.Call{Op: "start", Accept: "[{", Method: http.MethodPost, URL: c.address("subscriptions/start", url.Values{"contentType": {contentType}})}
	if hook != nil {
		body := map[string]any{"webhook": map[string]any{
			"address": hook.Address, "authId": hook.AuthID.Reveal(), "expiration": timeOrEmpty(hook.Expiration),
		}}
		text, err := json.Marshal(body)
		if err != nil {
			return Subscription{}, &Error{API: apiName, Op: "start", Class: ClassAdmin, Message: "the webhook cannot be written as JSON"}
		}
		k.Body = text
	}
	a, err := c.Do(ctx, p, k)
	if e := (*Error)(nil); errors.As(err, &e) && e.Code == "AF20024" {
		return Subscription{ContentType: contentType, Status: "enabled", Webhook: hook}, nil
	}
	if err != nil {
		return Subscription{}, err
	}
	defer a.Body.Close()
	text, err := a.Body.Rest(rest.MaxErrorBody)
	if err != nil {
		return Subscription{}, err
	}
	var s wireSubscription
	if json.Unmarshal(text, &s) != nil {
		return Subscription{}, &Error{API: apiName, Op: "start", Status: http.StatusOK, Class: ClassRetry, Message: "the answer is not a subscription", Sample: rest.SampleOf(a.Body.Hide(text))}
	}
	sub := s.subscription()
	if sub.ContentType == "" {
		sub.ContentType = contentType
	}
	return sub, nil
}

func timeOrEmpty(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeForm + "Z")
}

type wireSubscription struct {
	ContentType, Status string
	Webhook             *struct{ Status, Address, AuthID, Expiration string }
}

func (w wireSubscription) subscription() Subscription {
	s := Subscription{ContentType: rest.Line(w.ContentType), Status: rest.Line(w.Status)}
	if w.Webhook != nil {
		s.Webhook = &Webhook{Address: w.Webhook.Address, AuthID: credential.NewSecret(w.Webhook.AuthID), Status: rest.Line(w.Webhook.Status)}
		s.Webhook.Expiration, _ = parseTime(w.Webhook.Expiration)
	}
	return s
}

const maxSubscriptions = 1000

// Subscriptions lists the tenant's.
func (c *Client) Subscriptions(ctx context.Context, p Priority) ([]Subscription, error) {
	a, err := c.Do(ctx, p, rest.Call{Op: "list", Accept: "[", Method: http.MethodGet, URL: c.address("subscriptions/list", url.Values{})})
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	var all []Subscription
	err = rest.Elements(a.Body, 1<<20, maxSubscriptions, func(d *json.Decoder) error {
		var w wireSubscription
		if err := d.Decode(&w); err != nil {
			return err
		}
		if w.ContentType == "" {
			return errors.New("a subscription without contentType")
		}
		all = append(all, w.subscription())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Content reads one page of the listing of what was offered in [from, to), the provider's
// time; next is the former page's. Fractions of a second are dropped from both ends. A
// page can come with an error of [ClassHostile]: then its blobs are sound, but there
// were others that are not, or its paging link is refused.
func (c *Client) Content(ctx context.Context, p Priority, contentType string, from, to time.Time, next string) (Page, error) {
	k := rest.Call{Op: "content", Accept: "[", Method: http.MethodGet}
	if next == "" {
		k.URL = c.address("subscriptions/content", url.Values{
			"contentType": {contentType}, "startTime": {from.UTC().Format(timeForm)}, "endTime": {to.UTC().Format(timeForm)},
		})
	} else {
		u, err := c.follow(k.Op, next)
		if err != nil {
			return Page{}, err
		}
		k.URL = u
	}
	a, err := c.Do(ctx, p, k)
	if err != nil {
		return Page{}, err
	}
	defer a.Body.Close()
	page, err := c.page(a, contentType)
	if err != nil {
		return page, err
	}
	next = nextLink(a.Header)
	if page.Next = next; next != "" {
		if _, err := c.follow(k.Op, next); err != nil {
			page.Next = ""
			return page, err
		}
	}
	return page, nil
}

type wireBlob struct {
	ContentID         string
	ContentURI        string `json:"contentUri"`
	ContentCreated    string
	ContentExpiration string
}

func (c *Client) page(a *rest.Answer, contentType string) (Page, error) {
	page := Page{At: a.At}
	refused, first := 0, []byte(nil)
	err := rest.Elements(a.Body, c.pageBytes, c.pageBlobs, func(d *json.Decoder) error {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		blob, ok := parseBlob(raw, contentType)
		if ok {
			page.Blobs = append(page.Blobs, blob)
			return nil
		}
		if refused++; first == nil {
			first = rest.SampleOf(a.Body.Hide(raw))
		}
		return nil
	})
	if err == nil && refused > 0 {
		err = &Error{API: apiName, Op: "content", Status: http.StatusOK, Class: ClassHostile, Message: fmt.Sprintf("%d elements of the page are no blobs", refused), Sample: first}
	}
	return page, err
}

const maxID = 4 << 10

// parseBlob reads an element of a listing. One without id, address or a time that can
// be read is refused: it could not be fetched, or not be placed.
func parseBlob(raw []byte, contentType string) (Blob, bool) {
	var w wireBlob
	if json.Unmarshal(raw, &w) != nil || w.ContentID == "" || len(w.ContentID) > maxID || w.ContentURI == "" || len(w.ContentURI) > rest.MaxLink {
		return Blob{}, false
	}
	created, err := parseTime(w.ContentCreated)
	if err != nil {
		return Blob{}, false
	}
	expires, err := parseTime(w.ContentExpiration)
	if err != nil {
		expires = time.Time{}
	}
	return Blob{ContentType: contentType, ID: w.ContentID, URI: w.ContentURI, Created: created, Expires: expires}, true
}

// Fetch begins to read a blob. The caller closes the body.
func (c *Client) Fetch(ctx context.Context, p Priority, blob Blob) (*rest.Body, error) {
	u, err := c.follow("fetch", blob.URI)
	if err != nil {
		return nil, err
	}
	a, err := c.Do(ctx, p, rest.Call{Op: "fetch", Accept: "[", Method: http.MethodGet, URL: u})
	if err != nil {
		return nil, err
	}
	return a.Body, nil
}
