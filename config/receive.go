// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
)

// Receive is an address at which others may send records.
type Receive struct {
	Name   string `toml:"name" doc:"Your name for it: a to z, 0 to 9 and -; none of a source's. Acts and metrics carry it, and the path of http. Required."`
	Type   string `toml:"type" doc:"hec (Splunk's HTTP event collector), otlp (OpenTelemetry logs over HTTP and gRPC), http (JSON) or syslog. Required."`
	Listen string `toml:"listen" doc:"Address and port of its own. Beyond loopback tls_cert and tls_key are needed, and client_ca of syslog. Required."`
	Tenant string `toml:"tenant" doc:"Tenant of all records that come in here, whatever they say of themselves. That of a source which reads the same records through an API, so that what both bring is one record."`
	Family string `toml:"family" doc:"hec, http: what the records are, such as okta, github or m365. json is any JSON."`
	Token  Secret `toml:"token" doc:"hec, otlp, http: where the token is that senders must have, as a source's certificate; at least 16 characters. Required."`

	TLSCert  string `toml:"tls_cert" doc:"PEM file of the certificate chain. Empty means no TLS, which only loopback may have."`
	TLSKey   string `toml:"tls_key" doc:"PEM file of the certificate's key."`
	ClientCA string `toml:"client_ca" doc:"PEM file of the authorities of which senders must have a certificate. Syslog has no token, so that it is needed beyond loopback there."`
}

var receiveTypes = []string{"hec", "http", "otlp", "syslog"}

// DefaultReceive returns what a receiver's block need not say.
func DefaultReceive() Receive { return Receive{Family: "json"} }

// fill sets what the file does not say.
func (r *Receive) fill(said func(key string) bool) {
	if !said("family") {
		r.Family = DefaultReceive().Family
	}
	if k := kinds[r.Family]; k != nil { // as the source's that reads the same records: what both bring is then one record
		r.Tenant = k.fold(r.Tenant)
	}
}

func receivePath(i int, key string) string { return "receive." + strconv.Itoa(i) + "." + key }

func checkReceive(list []Receive, sources []Source) error {
	for i := range list {
		r := &list[i]
		key, msg := r.check()
		switch {
		case msg != "":
		case slices.ContainsFunc(list[:i], func(other Receive) bool { return other.Name == r.Name }):
			key, msg = "name", "there are two of this name: give each receiver a name of its own"
		case slices.ContainsFunc(sources, func(s Source) bool { return s.Name == r.Name }):
			key, msg = "name", "a source has this name: give the receiver another one"
		}
		if msg == "" {
			continue
		}
		label := fmt.Sprintf("receive %d", i+1)
		if validName(r.Name) {
			label = fmt.Sprintf("receive %q", r.Name)
		}
		return problemf(receivePath(i, key), "%s: %s", label, msg)
	}
	return nil
}

// check returns the key that is wrong and the sentence.
func (r *Receive) check() (key, msg string) {
	host, _, err := net.SplitHostPort(r.Listen)
	switch {
	case r.Name == "":
		return "name", "name is missing: give it a short name of a to z, 0 to 9 and -"
	case !validName(r.Name):
		return "name", "name must be 1 to 40 characters of a to z, 0 to 9 and -, and begin with a letter or digit"
	case r.Name == "daybreak":
		return "name", "the name daybreak is the program's own: choose another one"
	case r.Type == "":
		return "type", "type is missing: want hec, http, otlp or syslog"
	case !slices.Contains(receiveTypes, r.Type):
		return "type", fmt.Sprintf("type is %.40q: want hec, http, otlp or syslog", r.Type)
	case r.Listen == "":
		return "listen", "listen is missing: give address:port, for example \"127.0.0.1:8088\""
	case err != nil:
		return "listen", fmt.Sprintf("listen is %.60q: want address:port, for example \"127.0.0.1:8088\"", r.Listen)
	case (r.TLSCert == "") != (r.TLSKey == ""):
		return "tls_cert", "tls_cert and tls_key must be given together"
	case r.ClientCA != "" && r.TLSCert == "":
		return "client_ca", "client_ca is given without tls_cert and tls_key: senders have certificates with TLS only"
	case !Loopback(host) && r.TLSCert == "":
		return "listen", fmt.Sprintf("listen is %.60q, which other machines reach: give tls_cert and tls_key, or listen on 127.0.0.1", r.Listen)
	case !Loopback(host) && r.Type == "syslog" && r.ClientCA == "":
		return "client_ca", "client_ca is missing: syslog has no token, and whoever reaches the address could write; give the authorities of the senders' certificates"
	case r.Type == "syslog" && r.Token != "":
		return "token", "token is not of syslog, which has none: leave it out"
	case r.Type != "syslog" && r.Token == "":
		return "token", "token is missing: say with env:NAME, file:PATH or command:/PROGRAM ARG… where the token is that senders must have"
	case r.Family != "json" && r.Type != "hec" && r.Type != "http":
		return "family", fmt.Sprintf("family is of hec and http, not of %s: leave it out", r.Type)
	case !validName(r.Family):
		return "family", fmt.Sprintf("family is %.40q: want json, or one of \"daybreak import --source\"", r.Family)
	}
	if r.Token != "" {
		if _, err := r.Token.Reference(); err != nil {
			return "token", "token: " + err.Error()
		}
	}
	return "", ""
}
