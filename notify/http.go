// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Limits of a request.
const (
	maxBody   = 24 << 10 // bytes; Teams takes no more than 28 KiB
	maxAnswer = 4 << 10  // bytes of an answer that are read
)

// client follows no redirect: a signed message goes where it was meant to go.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        10,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
		// A receiver that sends headers without end is not read.
		MaxResponseHeaderBytes: 32 << 10,
	},
}

// send makes one attempt.
func (c *Channel) send(ctx context.Context, m *Message) error {
	secret := credential.NewSecret("")
	if !c.Secret.IsZero() {
		var err error
		if secret, err = c.Secret.Read(ctx); err != nil {
			return err
		}
	}
	err := c.sendWith(ctx, m, secret)
	if f := (*failure)(nil); errors.As(err, &f) {
		f.err = errors.New(secret.Hide(f.err.Error()))
		return f
	}
	if err != nil {
		err = errors.New(secret.Hide(err.Error()))
	}
	return err
}

func (c *Channel) sendWith(ctx context.Context, m *Message, secret credential.Secret) error {
	switch c.Kind {
	case Email:
		return c.mail(ctx, m, secret)
	case Slack:
		return c.post(ctx, secret.Reveal(), slackBody(m), nil)
	case Teams:
		return c.post(ctx, secret.Reveal(), teamsBody(m), nil)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return c.post(ctx, c.URL, body, Sign(secret, m.Key, time.Now(), body))
}

// post sends a body and takes any answer of 2xx for accepted.
func (c *Channel) post(ctx context.Context, address string, body []byte, header http.Header) error {
	u, err := url.Parse(address)
	if err != nil {
		return refused("its address cannot be read") // the error would repeat it
	}
	if err := c.reachable(u); err != nil {
		return refused("%w", err)
	}
	if len(body) > maxBody {
		return refused("the message has %d bytes, more than %d", len(body), maxBody)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return refused("its address cannot be used")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Daybreak")
	res, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return fmt.Errorf("no answer: %w", err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // tells why, if it can be read
	return answered(res, answer)
}

// answered sorts answers: accepted, to be tried again, refused for good.
func answered(res *http.Response, answer []byte) error {
	code := res.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(answer[:min(len(answer), 200)]), ""))
	f := &failure{err: errors.New(strings.TrimSpace(fmt.Sprintf("HTTP %d %s", code, text)))}
	switch {
	case code >= 300 && code < 400:
		f.err = fmt.Errorf("HTTP %d: it redirects, and that is not followed: give the address that it leads to", code)
		f.permanent = true
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
			f.after = time.Duration(min(s, 1<<20)) * time.Second
		}
	case code == http.StatusBadRequest || code == http.StatusGone || code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity:
		f.permanent = true
	}
	return f
}

// reachable says why an address must not be spoken to.
func (c *Channel) reachable(u *url.URL) error {
	host := strings.ToLower(u.Hostname())
	loopback := isLoopback(host)
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return errors.New("only HTTPS is used, and HTTP on loopback")
	}
	if u.User != nil {
		return errors.New("the address holds a name or a password: it must not")
	}
	hosts := c.Hosts
	if len(hosts) == 0 {
		if hosts = defaultHosts[c.Kind]; c.Kind == Webhook || loopback {
			return nil // the configuration names it
		}
	}
	for _, h := range hosts {
		h = strings.ToLower(h)
		if below, ok := strings.CutPrefix(h, "*."); ok && strings.HasSuffix(host, "."+below) || h == host {
			return nil
		}
	}
	return fmt.Errorf("its host is not among those that are allowed: %s", strings.Join(hosts, ", "))
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// Headers of a signed webhook.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Sign returns the headers that sign a body. A secret of the form "whsec_…" is base64, as the
// specification has it; every other is taken as it stands.
func Sign(secret credential.Secret, id string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(signature(secret, id, stamp, body)))
	return h
}

func signature(secret credential.Secret, id, stamp string, body []byte) []byte {
	key := []byte(secret.Reveal())
	if text, ok := strings.CutPrefix(secret.Reveal(), "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			key = raw
		}
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, stamp)
	mac.Write(body)
	return mac.Sum(nil)
}

// ErrSignature says that a webhook was not signed with the secret, or not lately.
var ErrSignature = errors.New("the webhook's signature does not hold")

// Verify checks the signature of a webhook that has been received: made with the secret, at most
// tolerance from now. Receivers also have to pass over ids that they know.
func Verify(secret credential.Secret, h http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	stamp := h.Get(HeaderTimestamp)
	s, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(s, 0)).Abs() > tolerance {
		return fmt.Errorf("%w: its time is %.20q", ErrSignature, stamp)
	}
	want := signature(secret, h.Get(HeaderID), stamp, body)
	for _, one := range strings.Fields(h.Get(HeaderSignature)) { // several while a secret is rotated
		text, ok := strings.CutPrefix(one, "v1,")
		if got, err := base64.StdEncoding.DecodeString(text); ok && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
