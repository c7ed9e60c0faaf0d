// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package notify tells the world outside of incidents: by a signed webhook, in Slack and
// Teams, and by e-mail.
//
// # Promises
//
// A message is put into the control database in the transaction in which its incident has
// changed, and taken out when its receiver has accepted it: each arrives at least once, also if
// the process dies in between. Receivers tell a repeated message by its key, which is the same
// each time. What was delivered is remembered for 180 days, so that a replay of the journal tells
// nobody again.
//
// There is one message for an incident and each change of its level or state, however many
// alerts it grows by; what changes while a message waits is put into it. A message that fails is
// tried again after a while that grows, and after Options.GiveUp, or when the receiver says
// that it never will accept it, it is put aside (dead) until a person looks. Channels do not wait
// for each other.
//
// # What can be reached
//
// Only HTTPS, and plain HTTP on loopback; only the hosts that the channel allows; no redirect
// is followed. Secrets are read by reference for each attempt and are in no log, error or table.
// Titles and names in a message come from strangers: they are escaped for each kind of channel,
// and capped.
//
// # Webhook signatures
//
// A webhook is signed as the Standard Webhooks specification (standardwebhooks.com) says, with
// HMAC-SHA256: headers webhook-id (the key), webhook-timestamp (Unix seconds) and
// webhook-signature ("v1," and base64). [Verify] checks one.
package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Message is what is told of an incident.
type Message struct {
	// Type is "incident.opened" at first and "incident.changed" afterwards.
	Type     string    `json:"type"`
	Key      string    `json:"key"`
	Tenant   string    `json:"tenant"`
	Incident string    `json:"incident"` // id
	URL      string    `json:"url,omitempty"`
	Title    string    `json:"title"`
	Level    string    `json:"level"`
	State    string    `json:"state"`
	Was      string    `json:"was,omitempty"` // level and state before: "medium, open"
	Assignee string    `json:"assignee,omitempty"`
	Alerts   int       `json:"alert_count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Tactics  []string  `json:"tactics"`
	Who      []string  `json:"who"`
}

// Kinds of channels.
const (
	Webhook = "webhook"
	Slack   = "slack"
	Teams   = "teams"
	Email   = "email"
)

// Channel is where messages go.
type Channel struct {
	Name string
	Kind string
	// Level is the least level that is told; medium if it is empty.
	Level string

	// URL is a webhook's. Those of Slack and Teams are secrets, and are given by reference.
	URL    string
	Secret credential.Reference // webhook: the key to sign with; Slack, Teams: the URL; e-mail: the password
	// Hosts that may be reached: "example.com", or "*.example.com" for all below. By default
	// that of URL, hooks.slack.com, and the hosts of Teams' workflows.
	Hosts []string

	// Of e-mail.
	Server   string // host:port
	User     string // empty: no authentication
	From, To string // To may list several, with commas
}

// defaultHosts are where the vendors' incoming webhooks are: docs.slack.dev/messaging/sending-
// messages-using-incoming-webhooks, and for Teams the addresses that the workflow "Post to a
// channel when a webhook request is received" gives out.
var defaultHosts = map[string][]string{
	Slack: {"hooks.slack.com"},
	Teams: {"*.logic.azure.com", "*.powerplatform.com", "*.webhook.office.com"},
}

// Check says what is wrong with a channel, in a sentence.
func (c *Channel) Check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %.60q: %s", c.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case c.Name == "" || len(c.Name) > 60:
		return errors.New("a channel has no name, or one of more than 60 bytes")
	case c.Level != "" && !slices.Contains(levels, c.Level):
		return wrong("%.40q is no level: use %s", c.Level, strings.Join(levels, ", "))
	}
	switch c.Kind {
	case Webhook:
		if c.Secret.IsZero() {
			return wrong("a webhook needs a secret to sign with")
		}
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" {
			return wrong("its url cannot be read") // which may hold a secret by mistake
		}
		if err := c.reachable(u); err != nil {
			return wrong("%v", err)
		}
	case Slack, Teams:
		if c.URL != "" || c.Secret.IsZero() {
			return wrong("the address of %s is a secret: give it by reference, as secret", c.Kind)
		}
	case Email:
		if _, err := mail.ParseAddress(c.From); err != nil {
			return wrong("from is no mail address")
		}
		if _, err := mail.ParseAddressList(c.To); err != nil {
			return wrong("to is no list of mail addresses")
		}
		if err := c.checkServer(); err != nil {
			return wrong("%v", err)
		}
	default:
		return wrong("%.40q is no kind: use webhook, slack, teams or email", c.Kind)
	}
	return nil
}

var levels = []string{"informational", "low", "medium", "high", "critical"}

// wants reports whether a channel is told of a level.
func (c *Channel) wants(level string) bool {
	least := c.Level
	if least == "" {
		least = "medium"
	}
	return slices.Index(levels, level) >= slices.Index(levels, least)
}
