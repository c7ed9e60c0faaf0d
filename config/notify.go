// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Incidents says what alerts join by.
type Incidents struct {
	Common []string `toml:"common" doc:"What everybody in the organization shares and therefore joins nothing: addresses and networks (\"203.0.113.0/24\"), ids and names of applications, accounts such as a scanner's."`
}

func checkCommon(common []string) error {
	for _, c := range common {
		addr, _, network := strings.Cut(c, "/")
		_, notAddr := netip.ParseAddr(addr)
		_, notPrefix := netip.ParsePrefix(c)
		switch {
		case strings.TrimSpace(c) == "" || len(c) > 256:
			return problemf("incidents.common", "incidents.common holds an entry that is empty or longer than 256 bytes: take it out")
		case network && notAddr == nil && notPrefix != nil:
			return problemf("incidents.common", `incidents.common holds %.60q, which is no network: want for example "203.0.113.0/24"`, c)
		}
	}
	return nil
}

// Notify is a channel on which incidents are told of.
type Notify struct {
	Name  string `toml:"name" doc:"Your name for it: a to z, 0 to 9 and -. What was told is remembered by it. Required."`
	Kind  string `toml:"kind" doc:"webhook, slack, teams or email. Required."`
	Level string `toml:"level" doc:"The least level that is told: informational, low, medium, high or critical."`

	URL    Address  `toml:"url" doc:"webhook: where the message is posted to. HTTPS, or plain HTTP on loopback. Required."`
	Secret Secret   `toml:"secret" doc:"Where the secret is, as a source's certificate: the key that a webhook is signed with, the address that Slack or Teams gave out (each required), the password of email."`
	Hosts  []string `toml:"hosts" doc:"webhook, slack, teams: the only hosts that are spoken to, \"example.com\" or \"*.example.com\" for all below it. Empty means that of url, hooks.slack.com, and those of Teams' workflows."`

	Server string   `toml:"server" doc:"email: HOST:PORT of the mail server. TLS is needed, except on loopback. Required."`
	User   string   `toml:"user" doc:"email: who logs in, with the password that secret names. Empty means nobody does."`
	From   string   `toml:"from" doc:"email: the sender's address. Required."`
	To     []string `toml:"to" doc:"email: the receivers' addresses. Required."`
}

// Address is a URL that may be known to few: neither what follows the host nor what is no
// URL at all is shown.
type Address string

// String is what may be shown of it.
func (a Address) String() string {
	u, msg := address(string(a))
	switch {
	case a == "":
		return "none"
	case msg != "":
		return "no address"
	case strings.Trim(u.Path, "/") == "":
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + u.Host + "/ …"
}

var (
	notifyKinds = []string{"webhook", "slack", "teams", "email"}
	levels      = []string{"informational", "low", "medium", "high", "critical"}
)

// DefaultNotify returns what a channel's block need not say.
func DefaultNotify() Notify { return Notify{Level: "medium"} }

// fill sets what the file does not say.
func (n *Notify) fill(said func(key string) bool) {
	if !said("level") {
		n.Level = DefaultNotify().Level
	}
}

func notifyPath(i int, key string) string { return "notify." + strconv.Itoa(i) + "." + key }

func checkNotify(channels []Notify) error {
	for i := range channels {
		n := &channels[i]
		key, msg := n.check()
		if msg == "" && slices.ContainsFunc(channels[:i], func(other Notify) bool { return other.Name == n.Name }) {
			key, msg = "name", "there are two of this name: give each channel a name of its own"
		}
		if msg == "" {
			continue
		}
		label := fmt.Sprintf("notify %d", i+1)
		if validName(n.Name) {
			label = fmt.Sprintf("notify %q", n.Name)
		}
		return problemf(notifyPath(i, key), "%s: %s", label, msg)
	}
	return nil
}

// check returns the key that is wrong and the sentence, as a source's does. Package notify asks for the
// same again, without the lines.
func (n *Notify) check() (key, msg string) {
	switch {
	case n.Name == "":
		return "name", "name is missing: give it a short name of a to z, 0 to 9 and -"
	case !validName(n.Name):
		return "name", "name must be 1 to 40 characters of a to z, 0 to 9 and -, and begin with a letter or digit"
	case n.Kind == "":
		return "kind", "kind is missing: want webhook, slack, teams or email"
	case !slices.Contains(notifyKinds, n.Kind):
		return "kind", fmt.Sprintf("kind is %.40q: want webhook, slack, teams or email", n.Kind)
	case !slices.Contains(levels, n.Level):
		return "level", fmt.Sprintf("level is %.40q: want informational, low, medium, high or critical", n.Level)
	}
	if n.Secret != "" {
		if _, err := n.Secret.Reference(); err != nil {
			return "secret", "secret: " + err.Error()
		}
	}
	steps := []func() (string, string){n.checkForeign, n.checkHosts, n.checkHTTP}
	if n.Kind == "email" {
		steps = []func() (string, string){n.checkForeign, n.checkEmail}
	}
	for _, step := range steps {
		if key, msg := step(); msg != "" {
			return key, msg
		}
	}
	return "", ""
}

// checkForeign finds a setting of another kind, which would have no effect.
func (n *Notify) checkForeign() (key, msg string) {
	for _, f := range []struct {
		key   string
		given bool
		kinds []string
	}{
		{"url", n.URL != "", []string{"webhook"}},
		{"hosts", len(n.Hosts) > 0, []string{"webhook", "slack", "teams"}},
		{"server", n.Server != "", []string{"email"}},
		{"user", n.User != "", []string{"email"}},
		{"from", n.From != "", []string{"email"}},
		{"to", len(n.To) > 0, []string{"email"}},
	} {
		switch {
		case !f.given || slices.Contains(f.kinds, n.Kind):
		case f.key == "url" && n.Kind != "email":
			return f.key, "the address of " + n.Kind + " is a secret: leave url out, and say with secret where it is"
		default:
			return f.key, fmt.Sprintf("%s is of kind %s, not of %s: leave it out", f.key, strings.Join(f.kinds, ", "), n.Kind)
		}
	}
	return "", ""
}

func (n *Notify) checkHTTP() (key, msg string) {
	switch {
	case n.Secret == "" && n.Kind == "webhook":
		return "secret", "secret is missing: receivers know by it that a message is ours; give env:NAME, file:PATH or command:/PROGRAM ARG…"
	case n.Secret == "":
		return "secret", "secret is missing: it says where the address is that " + n.Kind + " gave out; give env:NAME, file:PATH or command:/PROGRAM ARG…"
	case n.Kind != "webhook":
		return "", ""
	case n.URL == "":
		return "url", "url is missing: give the address that messages are posted to"
	}
	u, msg := address(string(n.URL))
	if msg != "" {
		return "url", "url " + msg
	}
	if host := strings.ToLower(u.Hostname()); len(n.Hosts) > 0 && !slices.ContainsFunc(n.Hosts, func(h string) bool { return covers(h, host) }) {
		return "hosts", "hosts does not hold the host of url: add it, or leave hosts out"
	}
	return "", ""
}

// covers reports whether a word of hosts allows a host.
func covers(word, host string) bool {
	word = strings.ToLower(word)
	below, ok := strings.CutPrefix(word, "*.")
	return word == host || ok && strings.HasSuffix(host, "."+below)
}

func (n *Notify) checkHosts() (key, msg string) {
	for _, h := range n.Hosts {
		name := strings.TrimPrefix(h, "*.")
		if name == "" || strings.ContainsAny(name, "*/:@?# \t") || strings.HasPrefix(name, ".") {
			return "hosts", fmt.Sprintf(`%.60q is not a host: want "example.com", or "*.example.com" for all below it`, h)
		}
	}
	return "", ""
}

func (n *Notify) checkEmail() (key, msg string) {
	host, port, err := net.SplitHostPort(n.Server)
	switch {
	case n.Server == "":
		return "server", "server is missing: give HOST:PORT of the mail server"
	case err != nil || host == "" || port == "":
		return "server", fmt.Sprintf(`server is %.60q: want HOST:PORT, for example "mail.example.com:587"`, n.Server)
	case n.User != "" && n.Secret == "":
		return "user", "user is given and no secret: say with secret where the password is, or leave user out"
	case n.User == "" && n.Secret != "":
		return "secret", "secret is given and no user: say with user who logs in, or leave secret out"
	case n.From == "":
		return "from", "from is missing: give the sender's mail address"
	case len(n.To) == 0:
		return "to", "to is missing: give the receivers' mail addresses"
	}
	if _, err := mail.ParseAddress(n.From); err != nil {
		return "from", fmt.Sprintf("from is %.60q, which is no mail address", n.From)
	}
	for _, to := range n.To {
		if _, err := mail.ParseAddress(to); err != nil {
			return "to", fmt.Sprintf("to holds %.60q, which is no mail address: give each as a text of its own", to)
		}
	}
	return "", ""
}
