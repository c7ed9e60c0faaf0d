// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

// pushToken is what senders show.
const pushToken = "a-token-of-all-the-senders"

// sender makes records and pushes them to a receiver of its name. What was not acknowledged it sends again.
type sender struct {
	name  string
	made  int // so many records there are
	acked int // and so many of them, the first ones, are acknowledged
	// send sends texts and returns when the receiver has said that it has them; nil of syslog, which never says so.
	send func(ctx context.Context, addr string, texts []string) error
}

// text is the nth record.
func (s *sender) text(n int) string {
	if s.send == nil {
		return fmt.Sprintf("<110>1 2026-03-03T12:00:00.%06dZ host app - - - %s record %d", n, s.name, n)
	}
	return fmt.Sprintf("%s record %d", s.name, n)
}

func (s *sender) texts(from int) (list []string) {
	for n := from; n < s.made; n++ {
		list = append(list, s.text(n))
	}
	return list
}

// run makes records and sends them until ctx ends.
func (s *sender) run(ctx context.Context, addr string) {
	if s.send == nil {
		_ = s.stream(ctx, addr, true) // the connection breaks
		return
	}
	for ctx.Err() == nil {
		if s.acked == s.made {
			s.made += 1 + rand.IntN(5)
		}
		if s.send(ctx, addr, s.texts(s.acked)) == nil {
			s.acked = s.made
		}
		pause(ctx)
	}
}

// drain sends what is not acknowledged yet.
func (s *sender) drain(ctx context.Context, addr string) error {
	if s.send == nil {
		return s.stream(ctx, addr, false)
	}
	for s.acked < s.made {
		if err := s.send(ctx, addr, s.texts(s.acked)); err != nil {
			return err
		}
		s.acked = s.made
	}
	return nil
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(20 * time.Millisecond):
	}
}

// stream sends over a connection of syslog all that was sent on connections that broke, for nobody knows how much of it arrived, and
// then, if it goes on, what is new until ctx ends. What was sent on one that the receiver has read to its end is acknowledged.
func (s *sender) stream(ctx context.Context, addr string, on bool) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	sent := s.acked
	for {
		for _, text := range s.texts(sent) {
			if _, err := io.WriteString(c, text+"\n"); err != nil {
				return err
			}
		}
		sent = s.made
		if !on {
			break
		}
		if pause(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
		s.made += 1 + rand.IntN(5)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(c).ReadByte(); err != io.EOF { // it is closed when all is durable
		return fmt.Errorf("the connection did not end in order: %w", err)
	}
	s.acked = sent
	return nil
}

// sendHEC sends to Splunk's HTTP event collector, and believes its ack alone.
func sendHEC(ctx context.Context, addr string, texts []string) error {
	var body strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&body, `{"time":1772539200.5,"host":"host","event":%q}`, text)
	}
	var sent struct{ AckID *int64 }
	if err := push(ctx, "Splunk", "http://"+addr+"/services/collector/event", body.String(), &sent); err != nil {
		return err
	}
	if sent.AckID == nil {
		return fmt.Errorf("no ack id")
	}
	var answer struct{ Acks map[int64]bool }
	if err := push(ctx, "Splunk", "http://"+addr+"/services/collector/ack", fmt.Sprintf(`{"acks":[%d]}`, *sent.AckID), &answer); err != nil {
		return err
	}
	if !answer.Acks[*sent.AckID] {
		return fmt.Errorf("not acknowledged")
	}
	return nil
}

// sendOTLP sends logs of OpenTelemetry.
func sendOTLP(ctx context.Context, addr string, texts []string) error {
	var list []string
	for _, text := range texts {
		list = append(list, fmt.Sprintf(`{"timeUnixNano":"1772539200000000000","severityNumber":9,"body":{"stringValue":%q}}`, text))
	}
	body := `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"audit"},"logRecords":[` + strings.Join(list, ",") + `]}]}]}`
	return push(ctx, "Bearer", "http://"+addr+"/v1/logs", body, new(struct{}))
}

// push posts JSON with a sender's token, and reads the answer.
func push(ctx context.Context, scheme, url, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", scheme+" "+pushToken)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Splunk-Request-Channel", "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", res.StatusCode, bytes.TrimSpace(text))
	}
	return json.Unmarshal(text, into)
}
