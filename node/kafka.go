// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/act"
	collect "github.com/daybreak-sec/daybreak/collect/kafka"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/kafka"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// topics collects from Kafka's protocol.
type topics struct {
	*collect.Collector
	tokens *rest.OAuth // nil without
}

// Provider returns what is known of the brokers.
func (t *topics) Provider() ProviderStatus {
	st := ProviderStatus{Heard: t.Heard()}
	if t.tokens != nil {
		st.TokenExpires = t.tokens.Expires()
	}
	return st
}

// kafka makes the collector of a source of hubs or topics.
func (s *sources) kafka(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	brokers, tokens, err := NewKafka(&c, s.metrics.count(c.Name, rest.NewTransport()))
	if err != nil {
		return nil, err
	}
	o := KafkaOptions(&c)
	o.Journal, o.DB, o.Acts, o.Log, o.Dial = s.n.journal, s.n.db, acts, s.n.log, brokers.New
	o.Classify = ClassifyKafka(s.metrics.records.WithLabelValues(c.Name))
	if s.adjust.Kafka != nil {
		s.adjust.Kafka(&o)
	}
	col, err := collect.New(o)
	if err != nil {
		return nil, err
	}
	return &topics{col, tokens}, nil
}

// KafkaOptions are those of a source's collector that its settings say.
func KafkaOptions(c *config.Source) collect.Options {
	o := collect.Options{Name: c.Name, Tenant: c.Tenant, Poll: c.Poll.Std(), Keep: c.Retention.Std()}
	for _, name := range c.Streams {
		o.Topics = append(o.Topics, collect.Topic{Name: name, Stream: c.Stream(name)})
	}
	return o
}

// NewKafka returns how the brokers of a source are reached, and its tokens if it has any. transport is for these and may be nil.
func NewKafka(c *config.Source, transport http.RoundTripper) (*kafka.Options, *rest.OAuth, error) {
	switch {
	case c.Type == "kafka":
		o, err := ownKafka(c)
		return o, nil, err
	case c.ConnectionString != "":
		ref, err := c.ConnectionString.Reference()
		if err != nil {
			return nil, nil, fmt.Errorf("connection_string: %w", err)
		}
		return kafka.Hubs(c.Namespace, c.Brokers, ref), nil, nil
	}
	cred, err := CredentialOf(c)
	if err != nil {
		return nil, nil, err
	}
	login := c.Login
	if i := slices.IndexFunc(graph.Plans, func(p graph.Plan) bool { return p.Name == c.Plan }); login == "" && i >= 0 {
		login = graph.Plans[i].Login
	}
	endpoint, err := url.JoinPath(login, c.Tenant, "oauth2/v2.0/token")
	if err != nil {
		return nil, nil, err
	}
	tokens := rest.NewOAuth(rest.OAuthOptions{
		Name: "eventhubs", Endpoint: endpoint, Scope: kafka.Scope(c.Namespace), ClientID: c.ClientID, Credential: cred, Transport: transport, Clock: rest.NewClock(),
	})
	return kafka.HubsByToken(c.Namespace, c.Brokers, tokens), tokens, nil
}

// ownKafka is for a cluster of anybody's.
func ownKafka(c *config.Source) (*kafka.Options, error) {
	o := &kafka.Options{Brokers: c.Brokers, Mechanism: c.SASL, User: c.Username}
	if c.SASL != "" {
		ref, err := c.Password.Reference()
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		o.Password = ref
	}
	if c.CA == "" {
		if !kafka.Loopback(c.Brokers) {
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		return o, nil
	}
	text, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if !o.TLS.RootCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("ca: the file holds no certificate in PEM")
	}
	return o, nil
}

// ClassifyKafka returns what tells records from their shape, as import does, and counts them; count may be nil. What is nothing
// known, or may be more than one thing, is any JSON.
func ClassifyKafka(count prometheus.Counter) func() collect.Classify {
	generic, _ := normalize.Lookup(anyJSON)
	return func() collect.Classify {
		return func(record jsontape.Value) (event.Family, []byte, int64) {
			if count != nil {
				count.Inc()
			}
			found, _ := normalize.Tell(record)
			if found == nil {
				found = generic
			}
			known := found.Identify(record)
			return found.Family, known.ID, known.Time
		}
	}
}

// KafkaBounds are how many messages a topic has, of how many partitions.
type KafkaBounds struct{ Partitions, Messages int64 }

// TryKafka asks the brokers of a source for a topic, and reads what is at its end, which takes the right to read.
func TryKafka(ctx context.Context, o *kafka.Options, topic string) (KafkaBounds, error) {
	b, err := collect.Try(ctx, o.New, topic)
	return KafkaBounds{b.Partitions, b.Messages}, err
}
