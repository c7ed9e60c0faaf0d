// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/node"
)

// The webhooks of the Office 365 Management Activity API and of Google's Reports API. Who
// calls them is not known: nothing signs an announcement, and the AuthID (Google: the
// channel's token) that comes with it is all that a stranger must not have. So it may do
// one thing, make the next poll of a stream come sooner, and what it says is read for the
// names of streams alone, of Google's not even that: a channel is of one stream. Links are
// never followed.

const (
	maxHook = 64 << 10
	// hookTime is how long an announcement may take to come in.
	hookTime = 10 * time.Second
)

// announcement is what is read of one; the rest is passed over.
type announcement struct {
	TenantID    string `json:"tenantId"`
	ContentType string `json:"contentType"`
}

// hookResults are the answers to what was refused.
var hookResults = []struct {
	err    error
	name   string // in the metrics
	status int
}{
	{node.ErrHookEnded, "ended", http.StatusForbidden},
	{node.ErrHookDenied, "forged", http.StatusForbidden},
	{node.ErrHookBusy, "busy", http.StatusTooManyRequests},
	{errHookLarge, "large", http.StatusRequestEntityTooLarge},
	{errHookMalformed, "malformed", http.StatusBadRequest},
	{errHookTenant, "malformed", http.StatusBadRequest},
}

var (
	errHookLarge     = errors.New("an announcement has at most 64 KiB")
	errHookMalformed = errors.New("an announcement is a JSON array of objects")
	errHookTenant    = errors.New("the announcement is about another tenant")
)

// hook answers POST /hook/TYPE/{source}.
func (s *surface) hook(take func(name string, w http.ResponseWriter, r *http.Request) (result string, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("source")
		result, err := take(name, w, r)
		for _, known := range hookResults {
			if errors.Is(err, known.err) {
				s.node.CountHook(name, known.name)
				refuse(w, known.status, known.err.Error())
				return
			}
		}
		s.node.CountHook(name, result)
		w.WriteHeader(http.StatusOK)
	}
}

// takeNotification takes what Google says of a channel: in headers. The body, which was not asked for, is not read.
func (s *surface) takeNotification(name string, _ http.ResponseWriter, r *http.Request) (result string, err error) {
	wake, err := s.node.HintChannel(name, r.Header.Get("X-Goog-Channel-Token"), r.Header.Get("X-Goog-Channel-Id"))
	switch {
	case err != nil:
		return "", err
	case r.ContentLength > maxHook:
		return "", errHookLarge
	case r.Header.Get("X-Goog-Resource-State") == "sync": // the channel has begun, and nothing has happened
		return "validated", nil
	}
	wake()
	return "taken", nil
}

func (s *surface) takeAnnouncement(name string, w http.ResponseWriter, r *http.Request) (result string, err error) {
	tenant, wake, err := s.node.Hint(name, r.Header.Get("Webhook-AuthID"))
	if err != nil {
		return "", err // the body of a stranger is not read
	}
	if r.ContentLength > maxHook {
		return "", errHookLarge
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(hookTime)) // a handler in the same process has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return "", errHookLarge
	}
	if err != nil {
		return "", errHookMalformed
	}
	if r.Header.Get("Webhook-ValidationCode") != "" {
		// The provider asks whether we are there before it lets a subscription
		// have this webhook. Any 200 says yes.
		return "validated", nil
	}
	streams, err := readHint(body, tenant)
	if err != nil {
		return "", err
	}
	for _, stream := range streams {
		wake(stream)
	}
	return "taken", nil
}

// readHint returns the streams that announcements are about.
func readHint(body []byte, tenant string) ([]string, error) {
	var list []announcement
	if json.Unmarshal(body, &list) != nil {
		return nil, errHookMalformed
	}
	var streams []string
	for _, a := range list {
		if a.TenantID != "" && !strings.EqualFold(a.TenantID, tenant) {
			return nil, errHookTenant
		}
		streams = append(streams, a.ContentType)
	}
	return streams, nil
}
