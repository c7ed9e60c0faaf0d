// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package kafka makes clients of Kafka's protocol: how brokers are reached, and how we prove ourselves to them. Secrets are read
// anew for each connection, so that one that was exchanged counts without a restart.
//
// Azure Event Hubs speaks the protocol at port 9093 of its namespace, from the Standard tier on, with TLS and SASL: PLAIN with the
// connection string as password, or OAUTHBEARER with a token of Entra ID for the namespace
// (Azure/azure-event-hubs-for-kafka:README.md, CONFIGURATION.md). It knows old requests only: Fetch up to version 6 and Metadata up to 5, which
// have no ids of topics (IBM/sarama issue 2470).
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The mechanisms of SASL that are known.
const (
	Plain       = "plain"
	SCRAM256    = "scram-sha-256"
	SCRAM512    = "scram-sha-512"
	OAuthBearer = "oauthbearer"
)

// Port is Event Hubs', and that of Kafka with TLS by custom.
const Port = "9093"

// connectionString is the user of Event Hubs whose password is a connection string.
const connectionString = "$ConnectionString"

// Options say how brokers are reached.
type Options struct {
	Brokers []string // host:port, of which one suffices
	// TLS is nil for plain connections, which only loopback may have.
	TLS       *tls.Config
	Mechanism string // one of the above; empty: none
	User      string
	Password  credential.Reference
	Tokens    *rest.OAuth // of OAuthBearer
}

// New makes a client. It connects to nothing yet.
func (o *Options) New(more ...kgo.Opt) (*kgo.Client, error) {
	if len(o.Brokers) == 0 {
		return nil, errors.New("no broker is named")
	}
	if o.TLS == nil && !Loopback(o.Brokers) {
		return nil, errors.New("the brokers are on other machines: only loopback may be spoken to without TLS")
	}
	opts := append([]kgo.Opt{kgo.SeedBrokers(o.Brokers...)}, more...)
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	m, err := o.mechanism()
	if err != nil {
		return nil, err
	}
	if m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return kgo.NewClient(opts...)
}

func (o *Options) mechanism() (sasl.Mechanism, error) {
	secret := func(ctx context.Context) (scram.Auth, error) {
		password, err := o.Password.Read(ctx)
		return scram.Auth{User: o.User, Pass: password.Reveal()}, err
	}
	switch o.Mechanism {
	case "":
		return nil, nil
	case Plain:
		return plain.Plain(func(ctx context.Context) (plain.Auth, error) {
			password, err := o.Password.Read(ctx)
			return plain.Auth{User: o.User, Pass: password.Reveal()}, err
		}), nil
	case SCRAM256:
		return scram.Sha256(secret), nil
	case SCRAM512:
		return scram.Sha512(secret), nil
	case OAuthBearer:
		return &bearer{tokens: o.Tokens}, nil
	}
	return nil, fmt.Errorf("there is no mechanism %q", o.Mechanism)
}

// Loopback reports whether nobody but this machine reaches the brokers.
func Loopback(brokers []string) bool {
	for _, b := range brokers {
		host, _, err := net.SplitHostPort(b)
		if err != nil {
			return false
		}
		addr, err := netip.ParseAddr(host)
		if host != "localhost" && (err != nil || !addr.IsLoopback()) {
			return false
		}
	}
	return true
}

// Host is that of a namespace of Event Hubs, which may be given as its name or as its host.
func Host(namespace string) string {
	if strings.Contains(namespace, ".") {
		return namespace
	}
	return namespace + ".servicebus.windows.net"
}

// Hubs are the options of a namespace of Event Hubs whose connection string a reference leads to. brokers take the namespace's
// place for a simulator or a proxy.
func Hubs(namespace string, brokers []string, secret credential.Reference) *Options {
	o := &Options{Brokers: brokers, Mechanism: Plain, User: connectionString, Password: secret}
	return o.at(namespace)
}

// HubsByToken are those of a namespace that takes tokens of Entra ID.
func HubsByToken(namespace string, brokers []string, tokens *rest.OAuth) *Options {
	o := &Options{Brokers: brokers, Mechanism: OAuthBearer, Tokens: tokens}
	return o.at(namespace)
}

// Scope is what a token must be for.
func Scope(namespace string) string { return "https://" + Host(namespace) + "/.default" }

func (o *Options) at(namespace string) *Options {
	if len(o.Brokers) == 0 {
		o.Brokers = []string{net.JoinHostPort(Host(namespace), Port)}
	}
	if !Loopback(o.Brokers) {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o
}
