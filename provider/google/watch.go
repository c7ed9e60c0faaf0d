// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Channel is a notification channel: for as long as it is open, Google posts to its address when an application has a new
// activity. What it posts is a hint that says in headers which channel it is of; nothing signs it but the channel's token.
// (https://developers.google.com/workspace/admin/reports/v1/guides/push and the methods activities.watch and channels.stop of
// googleapis/google-api-go-client:admin/reports/v1/admin-api.json; the scope is that of reading.)
type Channel struct {
	ID       string // ours
	Resource string // Google's name for what is watched, by which a channel is closed
	Ends     time.Time
}

// Webhook is where notifications are posted to, and what comes with them. Both are the same for all channels.
type Webhook struct {
	Address string
	Token   credential.Secret
}

const (
	// MaxToken is how long a channel's token may be
	// (https://developers.google.com/workspace/admin/reports/v1/guides/push, "Optional properties").
	MaxToken = 256
	// channelLife is how long a channel is asked for, which is the longest that there is. There is no renewal: another
	// channel is opened before the first one ends.
	channelLife = 6 * time.Hour
)

// Watch opens a channel for a stream. The answer's token and address are not looked at: only the end is Google's to say.
func (c *Client) Watch(ctx context.Context, p budget.Priority, s *Stream, id string, to *Webhook) (ch Channel, err error) {
	// The body of a notification would be the activity: it is read from the log, and need not travel twice.
	body, err := json.Marshal(map[string]any{
		"id": id, "type": "web_hook", "address": to.Address, "token": to.Token.Reveal(), "payload": false,
		"expiration": strconv.FormatInt(c.Now().Add(channelLife).UnixMilli(), 10),
	})
	if err != nil {
		return ch, &Error{API: apiName, Op: "watch", Class: rest.ClassAdmin, Message: "the webhook cannot be written as JSON"}
	}
	k := rest.Call{
		Op: "watch", Method: http.MethodPost, URL: c.root.JoinPath("admin/reports/v1/activity/users/all/applications", s.Name, "watch"), Accept: "{", Body: body,
	}
	k.URL.RawQuery = url.Values{"customerId": {c.customer}}.Encode()
	err = c.JSON(ctx, p, k, func(root jsontape.Value, a *rest.Answer) error {
		ends, err := strconv.ParseInt(string(root.Get("expiration").Text()), 10, 64)
		resource := string(root.Get("resourceId").Str())
		if err != nil || resource == "" || len(resource) > rest.MaxLink {
			return &Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer is no channel"}
		}
		ch = Channel{id, resource, time.UnixMilli(ends).UTC()}
		if latest := a.At.Add(channelLife + time.Minute); ch.Ends.After(latest) { // documented as impossible
			ch.Ends = latest
		}
		return nil
	})
	return ch, err
}

// Unwatch closes a channel. That there is none of its id is no error.
func (c *Client) Unwatch(ctx context.Context, p budget.Priority, ch Channel) error {
	body, err := json.Marshal(map[string]string{"id": ch.ID, "resourceId": ch.Resource})
	if err != nil {
		return &Error{API: apiName, Op: "unwatch", Class: rest.ClassAdmin, Message: "the channel cannot be written as JSON"}
	}
	a, err := c.Do(ctx, p, rest.Call{Op: "unwatch", Method: http.MethodPost, URL: c.root.JoinPath("admin/reports_v1/channels/stop"), Body: body})
	if err == nil { // an answer with a body is not documented, and says the same
		return a.Body.Close()
	}
	if e := (*Error)(nil); errors.As(err, &e) && (e.Status == http.StatusNoContent || e.Status == http.StatusNotFound) {
		return nil
	}
	return err
}
