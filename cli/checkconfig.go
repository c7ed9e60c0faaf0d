// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/notify"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/graph"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

func (a *app) checkConfigCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check-config FILE",
		Short: "Read a configuration and try every source",
		Long: `Check-config reads a configuration and tries what it says: that secrets can be read,
that each source's token service gives a token, that the token holds the permissions which
the streams need, that the API answers, how the subscriptions stand, that the clocks agree
and how long the certificate lasts. Of the channels in [[notify]] it tries that their secrets can
be read, where they lead, and that a mail server lets us in; it sends no message. It changes
nothing at the provider and holds no data directory; it can be run beside a server. No
secret is printed.

It prints one line a source and channel. The exit code is 0 if everything can work, with warnings or
without, 1 if something cannot, 2 if the file cannot be read.`,
		Args: args(cobra.ExactArgs(1), "one file"),
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := config.Load(files[0])
			if err != nil {
				return usagef("%v", err)
			}
			return a.checkConfig(cmd.Context(), &c)
		},
	}
}

// verdict is what was found out about a source, a channel, or the rest of the file.
type verdict struct {
	Name     string    `json:"name"`
	OK       bool      `json:"ok"`
	Tenant   string    `json:"tenant,omitempty"`
	Findings []finding `json:"findings"`
}

// finding is one thing that was looked at.
type finding struct {
	Check string `json:"check"`
	// Result is "ok", "warning" or "failed".
	Result  string `json:"result"`
	Message string `json:"message"`
}

func (v *verdict) add(check, result, format string, args ...any) {
	v.Findings = append(v.Findings, finding{check, result, fmt.Sprintf(format, args...)})
}

const (
	good    = "ok"
	warning = "warning"
	failed  = "failed"
)

const (
	// tryTime is how long a source may take to answer all questions.
	tryTime = time.Minute
	// tryAtOnce bounds how many sources are tried at a time.
	tryAtOnce = 8
	// maxSkew is how far clocks may be apart before somebody should know. Windows
	// are in the provider's time, so nothing is lost by it; assertions of
	// certificates are refused beyond a few minutes.
	maxSkew = time.Minute
)

func (a *app) checkConfig(ctx context.Context, c *config.Config) error {
	channels := 1 + len(c.Sources) // where they begin
	all := make([]*verdict, channels+len(c.Notify))
	all[0] = tryFiles(c)
	tryReceivers(ctx, c, all[0])
	var tries sync.WaitGroup
	turn := make(chan struct{}, tryAtOnce)
	try := func(i int, f func(context.Context) *verdict) {
		tries.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			ctx, cancel := context.WithTimeout(ctx, tryTime)
			defer cancel()
			all[i] = f(ctx)
		})
	}
	for i := range c.Sources {
		try(1+i, func(ctx context.Context) *verdict {
			v := trySource(ctx, &c.Sources[i])
			v.tryAddresses(c, i)
			return v
		})
	}
	for i := range c.Notify {
		try(channels+i, func(ctx context.Context) *verdict { return tryChannel(ctx, &c.Notify[i]) })
	}
	tries.Wait()
	bad := 0
	for _, v := range all {
		v.OK = !slices.ContainsFunc(v.Findings, func(f finding) bool { return f.Result == failed })
		if !v.OK {
			bad++
		}
	}
	if err := a.printVerdicts(all, channels); err != nil {
		return err
	}
	switch {
	case bad > 0:
		return errors.New("the configuration would not work as it is")
	case len(c.Sources) == 0:
		a.say("there is no [[source]]: nothing would be collected (docs/connect-m365.md, docs/connect-github.md, docs/connect-slack.md)")
	}
	return nil
}

func (a *app) printVerdicts(all []*verdict, channels int) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			OK      bool       `json:"ok"`
			Server  *verdict   `json:"server"`
			Sources []*verdict `json:"sources"`
			Notify  []*verdict `json:"notify"`
		}{!slices.ContainsFunc(all, func(v *verdict) bool { return !v.OK }), all[0], all[1:channels], all[channels:]})
	}
	for i, v := range all {
		if i == 0 && v.OK {
			continue // only sources and channels have a line; the rest is said if it is wrong
		}
		state := good
		var say []string
		for _, f := range v.Findings {
			if f.Result != good || v.OK {
				say = append(say, f.Message)
			}
			if f.Result == failed || f.Result == warning && state == good {
				state = f.Result
			}
		}
		if _, err := fmt.Fprintf(a.stdout, "%s: %s: %s\n", v.Name, state, printable(strings.Join(say, "; "), 4000)); err != nil {
			return err
		}
	}
	return nil
}

// tryReceivers reads what the receivers' blocks name. It takes no address: a server may have them.
func tryReceivers(ctx context.Context, c *config.Config, v *verdict) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	for i := range c.Receive {
		if _, err := node.ReceiverOptions(ctx, &c.Receive[i]); err != nil {
			v.add("receive", failed, "receive %q: %v", c.Receive[i].Name, err)
		}
	}
}

// tryFiles looks at the files that the rest of the configuration names.
func tryFiles(c *config.Config) *verdict {
	v := &verdict{Name: "server", Findings: []finding{}}
	if c.Server.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.Server.TLSCert, c.Server.TLSKey); err != nil {
			v.add("tls", failed, "server.tls_cert and server.tls_key cannot be used: %v", err)
		}
	}
	files := slices.Clone(c.Enrich.Databases)
	if c.Witness.Policy != "" {
		files = append(files, c.Witness.Policy)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			v.add("file", failed, "%v: correct the path, or let this user read it", err)
			continue
		}
		f.Close()
	}
	return v
}

// tryChannel tries what can be tried of a channel without telling anybody.
func tryChannel(ctx context.Context, c *config.Notify) *verdict {
	v := &verdict{Name: "notify " + c.Name, Findings: []finding{}}
	err := node.CheckChannel(ctx, c)
	switch {
	case err != nil:
		v.add("channel", failed, "%v", err)
	case c.Kind == notify.Email:
		v.add("channel", good, "the mail server takes us")
	default:
		v.add("channel", good, "the secret can be read; no message was sent")
	}
	return v
}

// trySource asks the provider everything that can be asked without changing anything.
func trySource(ctx context.Context, c *config.Source) *verdict {
	v := &verdict{Name: c.Name, Tenant: c.Tenant, Findings: []finding{}}
	switch c.Type {
	case "google":
		v.tryGoogle(ctx, c)
		return v
	case "github":
		v.tryGitHub(ctx, c)
		return v
	case "slack":
		v.trySlack(ctx, c)
		return v
	case "okta":
		v.tryOkta(ctx, c)
		return v
	case "cloudtrail", "s3":
		v.tryBucket(ctx, c)
		return v
	case "files":
		v.tryFiles(ctx, c)
		return v
	case "github-controls", "okta-controls":
		v.tryControls(ctx, c)
		return v
	case "eventhubs", "kafka":
		v.tryTopics(ctx, c)
		return v
	}
	if !v.tryCredential(ctx, c) {
		return v
	}
	switch c.Type {
	case "entra":
		v.tryGraph(ctx, c)
		return v
	case "audit-query":
		v.tryAuditQuery(ctx, c)
		return v
	case "controls":
		v.tryControls(ctx, c)
		return v
	case "canary":
		v.tryCanary(ctx, c)
		return v
	}
	v.tryWebhook(ctx, c)
	client, err := node.NewM365Client(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return v
	}
	roles, err := client.Roles(ctx)
	if err != nil {
		v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
		return v
	}
	v.add("token", good, "token given")
	v.tryRoles(c.Streams, roles, "the Office 365 Management APIs", func(stream string) []string { return []string{provider.RoleOf(stream)} })
	v.trySubscriptions(ctx, c, client)
	v.trySkew(client.Skew())
	return v
}

// tryAddresses warns of an application of which nobody has said from where it signs in, once.
func (v *verdict) tryAddresses(c *config.Config, i int) {
	id := c.Sources[i].ClientID
	if id == "" {
		return
	}
	for j := range c.Sources {
		if s := &c.Sources[j]; s.ClientID == id && (j < i || len(s.Addresses) > 0) {
			return
		}
	}
	v.add("addresses", warning, "addresses is not set: whoever uses the application %s in the first seven days is taken for this program, a thief of its credential too; give the public addresses that it signs in from", id)
}

// tryCredential reads what the source proves itself with.
func (v *verdict) tryCredential(ctx context.Context, c *config.Source) bool {
	cred, err := node.CredentialOf(c)
	if err != nil {
		v.add("credential", failed, "%v", err)
		return false
	}
	expires, err := cred.Expires(ctx)
	if err != nil {
		v.add("credential", failed, "%v", err)
		return false
	}
	if expires.IsZero() {
		return true // it is read when the token is asked for
	}
	date := expires.UTC().Format(time.DateOnly)
	switch days, say := credential.Warning(expires, time.Now()); {
	case !say:
		v.add("credential", good, "certificate until %s", date)
	case days == 0:
		v.add("credential", failed, "the certificate has expired on %s: make a new one, upload it to the application and put it in the old one's place", date)
	default:
		v.add("credential", warning, "the certificate expires on %s, in less than %d days: make a new one, upload it to the application and put it in the old one's place", date, days)
	}
	return true
}

func (v *verdict) tryWebhook(ctx context.Context, c *config.Source) {
	if c.Webhook == nil {
		return
	}
	if err := node.CheckWebhook(ctx, c.Webhook); err != nil {
		v.add("webhook", failed, "%v", err)
	}
}

// tryRoles says which permission of an API is missing and which streams need it.
func (v *verdict) tryRoles(streams, roles []string, api string, needs func(stream string) []string) {
	missing, order := map[string][]string{}, []string(nil)
	for _, stream := range streams {
		for _, role := range needs(stream) {
			if slices.Contains(roles, role) {
				continue
			}
			if missing[role] == nil {
				order = append(order, role)
			}
			missing[role] = append(missing[role], stream)
		}
	}
	for _, role := range order {
		v.add("permissions", failed,
			"the application lacks %s, which %s needs: add this application permission of %s and grant admin consent, or leave the stream out of streams",
			role, strings.Join(missing[role], ", "), api)
	}
	if len(missing) == 0 {
		v.add("permissions", good, "permissions complete")
	}
}

// tryGraphToken asks for a token of Microsoft Graph, and looks at what it permits, if needs says what is needed; nil if there is none.
func (v *verdict) tryGraphToken(ctx context.Context, c *config.Source, needs func(stream string) []string) *graph.Client {
	client, err := node.NewGraphClient(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return nil
	}
	roles, err := client.Roles(ctx)
	if err != nil {
		v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
		return nil
	}
	v.add("token", good, "token given")
	if needs != nil {
		v.tryRoles(c.Streams, roles, "Microsoft Graph", needs)
	}
	return client
}

// tryGraph asks Microsoft Graph for a page of each stream.
func (v *verdict) tryGraph(ctx context.Context, c *config.Source) {
	client := v.tryGraphToken(ctx, c, func(stream string) []string {
		if s, ok := graph.Lookup(stream); ok {
			return s.Roles
		}
		return nil
	})
	if client == nil {
		return
	}
	read := 0
	for _, name := range c.Streams {
		s, ok := graph.Lookup(name)
		if !ok {
			continue
		}
		now := client.Now()
		if _, err := client.List(ctx, budget.Head, s, now.Add(-time.Minute), now, ""); err != nil {
			v.add("stream", failed, "%s cannot be read: %s", name, advice(ctx, err, "the API"))
			continue
		}
		read++
	}
	v.add("streams", good, "%d of %d streams can be read", read, len(c.Streams))
	v.trySkew(client.Skew())
}

// tryAuditQuery asks for a query that there is not, which only those learn who may ask. A query of its own would count in what the
// tenant may start in a day.
func (v *verdict) tryAuditQuery(ctx context.Context, c *config.Source) {
	client := v.tryGraphToken(ctx, c, nil)
	if client == nil {
		return
	}
	roles, err := client.Roles(ctx)
	if err != nil {
		v.add("permissions", failed, "its permissions cannot be read: %s", advice(ctx, err, "the token service"))
		return
	}
	switch may, not := graph.AuditScope(roles); {
	case len(not) == 0:
		v.add("permissions", good, "permissions complete")
	case len(may) == 0:
		v.add("permissions", failed, "the application lacks %s: add this application permission of Microsoft Graph and grant admin consent", graph.AuditQueryRole)
	default:
		v.add("permissions", warning, "only records of %s are compared, and none of %s: for these the application needs %s, an application permission of Microsoft Graph",
			strings.Join(may, ", "), strings.Join(not, ", "), graph.AuditQueryRole)
	}
	_, err = client.AuditQuery(ctx, budget.Head, auditquery.NoQuery)
	if e := rest.Of(err); err != nil && e.Class != rest.ClassMissing && e.Status != http.StatusNotFound {
		v.add("stream", failed, "the audit log cannot be queried: %s", advice(ctx, err, "the API"))
		return
	}
	v.add("streams", good, "the audit log can be queried")
	v.trySkew(client.Skew())
}

// tryControls reads each control once, but of mailboxes only as much as shows that they may be read.
func (v *verdict) tryControls(ctx context.Context, c *config.Source) {
	clients, err := node.ControlClients(c, func(string) rest.Shared { return rest.Shared{Log: slog.New(slog.DiscardHandler)} })
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	if clients.Admin != nil {
		if _, err := clients.Admin.Graph.Roles(ctx); err != nil {
			v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
			return
		}
		v.add("token", good, "token given")
	}
	read := 0
	for _, name := range c.Streams {
		control, _ := controls.Lookup(name)
		err := control.Try(ctx, clients, c.ClientID)
		switch {
		case control.Unread:
			v.add("control", good, "%s is known from records alone: how it stands now no API says", name)
		case err != nil:
			v.add("control", failed, "%s cannot be read and would not be watched: it needs %s (%s); or leave it out of streams", name, control.Needs, advice(ctx, err, "the API"))
		}
		if err == nil && !control.Unread {
			read++
		}
	}
	v.add("controls", good, "%d of %d controls can be read", read, len(c.Streams))
	v.trySkew(clients.API().Skew())
}

// tryCanary signs the application of canaries in, once.
func (v *verdict) tryCanary(ctx context.Context, c *config.Source) {
	client, err := node.NewGraphClient(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	if _, err := client.SignIn(ctx); err != nil {
		v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
		return
	}
	v.add("token", good, "token given")
	roles, err := client.Roles(ctx)
	switch {
	case err != nil:
		v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
	case len(planted(c, canary.File)) > 0 && !slices.ContainsFunc(roles, selected):
		v.add("permissions", failed, "no file can be put into the drive: give the application Sites.Selected or Files.SelectedOperations.Selected with admin consent, and write access to that site or library alone")
	default:
		if len(planted(c, canary.File)) > 0 {
			roles = slices.DeleteFunc(roles, selected)
		}
		if len(roles) > 0 {
			v.add("permissions", warning, "the application has %s, which canaries do not need: take it away, so that its credential is worth little to whoever finds it", strings.Join(roles, ", "))
			return
		}
		v.add("permissions", good, "it may do nothing in the whole tenant, as it should be")
	}
	if others := planted(c, canary.Group, canary.File, canary.Mail); len(others) > 0 {
		v.add("canaries", good, "whether it may do what canaries of the kinds %s do is found out by doing it, which is not done here", strings.Join(others, ", "))
	}
}

// selected reports whether a role gives access to nothing but the sites, lists or files that somebody chose
// (https://learn.microsoft.com/graph/permissions-selected-overview).
func selected(role string) bool {
	return role == "Sites.Selected" || strings.HasSuffix(role, ".SelectedOperations.Selected")
}

// planted are those of some kinds of canaries that a source asks for.
func planted(c *config.Source, kinds ...string) []string {
	return slices.DeleteFunc(kinds, func(kind string) bool { return !slices.Contains(c.Streams, kind) })
}

// tryOkta asks an Okta organization for a page of its log, by both kinds of requests. A token of Okta says nothing of its
// rights: only the answers do.
func (v *verdict) tryOkta(ctx context.Context, c *config.Source) {
	client, err := node.NewOktaClient(c, rest.Shared{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	now := client.Now()
	_, err = client.List(ctx, budget.Head, now.Add(-time.Minute), now, "")
	if err == nil {
		_, err = client.Poll(ctx, budget.Head, now.Add(-time.Minute), "")
	}
	e := (*okta.Error)(nil)
	switch refused := errors.As(err, &e); {
	case refused && e.Class == rest.ClassAuth:
		v.add("token", failed, "the token does not work: %s", advice(ctx, err, "the API"))
		return
	case refused && e.Class == rest.ClassAdmin:
		v.add("token", good, "token accepted")
		v.add("permissions", failed, "the log may not be read: %s", advice(ctx, err, "the API"))
	case err != nil:
		v.add("stream", failed, "%s cannot be read: %s", okta.Stream, advice(ctx, err, "the API"))
		return
	default:
		v.add("token", good, "token accepted")
		v.add("streams", good, "%s can be read", okta.Stream)
	}
	v.trySkew(client.Skew())
}

// tryTopics asks the brokers for each hub or topic, and reads a little of it.
func (v *verdict) tryTopics(ctx context.Context, c *config.Source) {
	if c.ClientID != "" && !v.tryCredential(ctx, c) {
		return
	}
	brokers, tokens, err := node.NewKafka(c, nil)
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	if tokens != nil {
		if _, err := tokens.Token(ctx, ""); err != nil {
			v.add("token", failed, "no token: %s", advice(ctx, err, "the token service"))
			return
		}
		v.add("token", good, "token given")
	}
	read := 0
	for _, name := range c.Streams {
		ask, cancel := context.WithTimeout(ctx, 20*time.Second)
		b, err := node.TryKafka(ask, brokers, name)
		cancel()
		if err != nil {
			v.add("stream", failed, "%s cannot be read: %s", name, brokerAdvice(c, err))
			continue
		}
		read++
		v.add("stream", good, "%s has %d partitions and %d messages", name, b.Partitions, b.Messages)
	}
	v.add("streams", good, "%d of %d streams can be read", read, len(c.Streams))
}

// brokerAdvice says what to do about what a broker has answered.
func brokerAdvice(c *config.Source, err error) string {
	text := err.Error()
	do := "check that this machine reaches the brokers, and that they speak TLS"
	switch {
	case strings.Contains(text, "AUTHORIZATION_FAILED") && c.Type == "eventhubs":
		do = "give the policy of connection_string the right Listen, or the application the role Azure Event Hubs Data Receiver; a namespace of the Basic tier has no Kafka"
	case strings.Contains(text, "AUTHORIZATION_FAILED"):
		do = "give the user the rights Read and Describe on the topic"
	case strings.Contains(text, "SASL"):
		do = "check the user and the password, or the connection string"
	case strings.Contains(text, "UNKNOWN_TOPIC"):
		do = "check the name in streams; a diagnostic setting makes its hubs when the first record comes"
	}
	return strings.TrimSuffix(text, ".") + ": " + do
}

func (v *verdict) trySubscriptions(ctx context.Context, c *config.Source, client *provider.Client) {
	list, err := client.Subscriptions(ctx, budget.Head)
	if err != nil {
		v.add("subscriptions", failed, "the API does not list subscriptions: %s", advice(ctx, err, "the API"))
		return
	}
	on, off := 0, []string(nil)
	for _, stream := range c.Streams {
		i := slices.IndexFunc(list, func(s provider.Subscription) bool { return s.ContentType == stream })
		if i >= 0 && list[i].Enabled() {
			on++
		} else {
			off = append(off, stream)
		}
	}
	switch {
	case off == nil:
		v.add("subscriptions", good, "%d subscriptions on", on)
	default:
		v.add("subscriptions", good, "%d subscriptions on, serve will start %s", on, strings.Join(off, ", "))
	}
}

func (v *verdict) trySkew(skew time.Duration) {
	side := "behind"
	if skew < 0 {
		side = "ahead of"
	}
	if skew.Abs() <= maxSkew {
		v.add("clock", good, "clocks agree")
		return
	}
	v.add("clock", warning, "this machine's clock is %v %s the provider's: set it by NTP, or tokens may be refused", skew.Abs().Round(time.Second), side)
}

// advice makes one sentence of an error: what happened, and what to do.
func advice(ctx context.Context, err error, who string) string {
	e := (*provider.Error)(nil)
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("%s did not answer within %v: check that this machine reaches it, and HTTPS_PROXY if there is a proxy", who, tryTime)
	case !errors.As(err, &e):
		return err.Error()
	}
	// Of what the token service says, the part that is the same each time.
	text, _, _ := strings.Cut(e.Message, " Trace ID: ")
	switch {
	case e.Op == rest.OpToken && e.Status == 0 && e.Class == provider.ClassAuth:
		return text // the credential cannot be read, and the text says why
	case e.Code != "" && !strings.HasPrefix(text, e.Code):
		text = strings.TrimSuffix(e.Code+": "+text, ": ")
	case e.Code == "" && e.Status != 0:
		text = fmt.Sprintf("status %d: %s", e.Status, text)
	}
	text = strings.TrimSuffix(text, ".")
	switch {
	case e.Action != "":
		return text + ": " + e.Action
	case e.Status == 0:
		return fmt.Sprintf("%s: check that this machine reaches %s, and HTTPS_PROXY if there is a proxy", text, who)
	}
	return text + ": try again in a few minutes"
}
