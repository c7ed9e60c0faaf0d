// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

func receiving(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func receiverOf(n *node.Node, name string) node.ReceiverStatus {
	for _, r := range n.Receivers() {
		if r.Name == name {
			return r
		}
	}
	return node.ReceiverStatus{State: "none"}
}

func post(t *testing.T, url, token, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// TestReceivers: what is sent is searchable under its family and tenant; a receiver is taken up, changed and let go with the
// configuration, and its token with it.
func TestReceivers(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	token := "the-first-token-of-all"
	write := func() {
		if err := os.WriteFile(secret, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	door := fmt.Sprintf("[[receive]]\nname = \"door\"\ntype = \"http\"\nlisten = \"127.0.0.1:0\"\nfamily = \"okta\"\ntenant = \"acme\"\ntoken = \"file:%s\"\n", secret)
	n, _ := openWith(t, t.TempDir(), receiving(t, door), newFloor())
	defer closeNode(t, n)
	running := func() bool { return receiverOf(n, "door").State == node.Running }
	until(t, "the receiver runs", running)
	const event = `{"uuid":"7","published":"2026-11-01T10:00:00Z","eventType":"user.session.start","actor":{"id":"u","type":"User","alternateId":"eve@example.com"},"outcome":{"result":"SUCCESS"}}`
	send := func() int { return post(t, "http://"+receiverOf(n, "door").Address+"/ingest/door", token, event) }
	if status := send(); status != 200 {
		t.Fatal(status)
	}
	if status := send(); status != 200 {
		t.Fatal(status)
	}
	until(t, "the record is found once", func() bool { return len(ids(t, n, "family:okta tenant:acme")) == 1 })

	before := receiverOf(n, "door").Address
	token = "the-second-token-of-all"
	if status := send(); status != 403 {
		t.Errorf("a token that is not known yet: %d", status)
	}
	write()
	if _, err := n.Configure(context.Background(), receiving(t, door)); err != nil {
		t.Fatal(err)
	}
	until(t, "the new token counts", func() bool { return running() && receiverOf(n, "door").Address != before && send() == 200 })

	bad := strings.Replace(door, "okta", "outlook", 1)
	if _, err := n.Configure(context.Background(), receiving(t, bad)); err != nil {
		t.Fatal(err)
	}
	until(t, "the receiver fails", func() bool {
		r := receiverOf(n, "door")
		return r.State == node.Failing && strings.HasPrefix(r.Trouble, `family is "outlook": want one of `)
	})
	if _, err := n.Configure(context.Background(), receiving(t, "")); err != nil {
		t.Fatal(err)
	}
	if got := receiverOf(n, "door").State; got != "none" {
		t.Error(got)
	}
	for kind, want := range map[act.Kind]int{act.Started: 2, act.Stopped: 2, act.Alarm: 1} {
		if got := acts(t, n, "door", kind); len(got) != want {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	families, err := n.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if strings.HasPrefix(f.GetName(), "daybreak_receiver_") {
				counts[f.GetName()] += m.GetCounter().GetValue()
			}
		}
	}
	if counts["daybreak_receiver_records_total"] < 3 || counts["daybreak_receiver_refused_total"] < 1 {
		t.Error(counts)
	}
}
