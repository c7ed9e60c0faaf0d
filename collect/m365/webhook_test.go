// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// hooks is a provider that keeps the webhooks of subscriptions, and cannot reach those
// whose AuthID is deaf.
type hooks struct {
	*fake
	mu    sync.Mutex
	hooks map[string]*provider.Webhook
}

const deaf = "nobody answers"

func (h *hooks) Start(ctx context.Context, p budget.Priority, stream string, hook *provider.Webhook) (provider.Subscription, error) {
	if hook != nil && hook.AuthID.Reveal() == deaf {
		return provider.Subscription{}, fault(provider.ClassAdmin, 400, "AF20021")
	}
	h.mu.Lock()
	h.hooks[stream] = hook
	h.mu.Unlock()
	return h.fake.Start(ctx, p, stream, hook)
}

func (h *hooks) Subscriptions(ctx context.Context, p budget.Priority) ([]provider.Subscription, error) {
	list, err := h.fake.Subscriptions(ctx, p)
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range list {
		list[i].Webhook = h.hooks[list[i].ContentType]
	}
	return list, err
}

func (h *hooks) word(stream string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hooks[stream] == nil {
		return ""
	}
	return h.hooks[stream].AuthID.Reveal()
}

func webhook(word string) *provider.Webhook {
	return &provider.Webhook{Address: "https://hook.test/hook/m365/contoso", AuthID: credential.NewSecret(word)}
}

// A webhook that cannot be reached does not keep a subscription from being started, and is
// no refusal of one that is on.
func TestWebhookOutOfReach(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 0)
	b := newBench(t, f)
	delete(f.subs, entra)
	b.up = &hooks{fake: f, hooks: map[string]*provider.Webhook{}}
	b.opts.Webhook = webhook(deaf)
	b.run()
	b.until("the subscription is started without it", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.Contains(f.starts, entra)
	})
	scatter(f, entra, "a", 5, epoch.Add(-minute), epoch)
	scatter(f, exchange, "b", 5, epoch.Add(-minute), epoch)
	b.sealed(false)
	asked := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.asked }
	for before := asked(); asked() < before+3; { // the look at the subscriptions in which it was refused is over
		f.jump(20 * minute)
		b.until("the webhook is asked for again", func() bool { return asked() > before+3 })
	}
	b.stop()
	if gaps := b.acts(act.Gap); len(gaps) != 0 {
		t.Errorf("it makes gaps: %+v", gaps)
	}
	if alarms := b.acts(act.Alarm); len(alarms) != 0 {
		t.Errorf("it alarms: %+v", alarms)
	}
	if !slices.ContainsFunc(b.acts(act.Failed), func(a act.Act) bool { return a.Code == "AF20021" && a.Reason == "webhook" }) {
		t.Error("nobody is told")
	}
}

// An AuthID that was changed is brought to a subscription that has the old one.
func TestWebhookWithANewWord(t *testing.T) {
	t.Parallel()
	f := newFake(1, epoch, 0)
	b := newBench(t, f)
	h := &hooks{fake: f, hooks: map[string]*provider.Webhook{entra: webhook("the old word, 16"), exchange: webhook("the old word, 16")}}
	b.up = h
	b.opts.Webhook = webhook("the new word, 16")
	b.run()
	b.until("the new word is there", func() bool { return h.word(entra) == "the new word, 16" && h.word(exchange) == "the new word, 16" })
	b.stop()
}
