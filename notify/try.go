// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"net"
	"net/smtp"
	"net/url"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Try says what would keep messages from being sent, as far as that can be known without sending one: what [Channel.Check]
// finds, a secret that cannot be read, an address in it that may not be reached, a mail server that does not answer or
// does not let us in. No error holds a secret.
func (c *Channel) Try(ctx context.Context) error {
	if err := c.Check(); err != nil {
		return err
	}
	var secret credential.Secret
	if !c.Secret.IsZero() {
		var err error
		if secret, err = c.Secret.Read(ctx); err != nil {
			return err
		}
	}
	if err := c.tryWith(ctx, secret); err != nil {
		return errors.New(secret.Hide(err.Error()))
	}
	return nil
}

func (c *Channel) tryWith(ctx context.Context, secret credential.Secret) error {
	switch c.Kind {
	case Slack, Teams:
		u, err := url.Parse(secret.Reveal())
		if err != nil {
			return errors.New("the secret is no address: copy the one that " + c.Kind + " gave out, whole")
		}
		return c.reachable(u)
	case Email:
		s, err := c.dial(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		defer context.AfterFunc(ctx, func() { s.Close() })()
		if c.User == "" {
			return s.Quit()
		}
		host, _, _ := net.SplitHostPort(c.Server)
		if err := s.Auth(smtp.PlainAuth("", c.User, secret.Reveal(), host)); err != nil {
			return errors.New("the server does not let us in: " + err.Error())
		}
		return s.Quit()
	}
	return nil
}
