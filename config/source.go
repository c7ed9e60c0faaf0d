// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Source is a tenant that records are collected from.
type Source struct {
	Name   string `toml:"name" doc:"Your name for it: a to z, 0 to 9 and -. Acts of its collector, metrics and the webhook's address carry it. Required."`
	Type   string `toml:"type" doc:"What is collected: \"m365\", the Office 365 Management Activity API; \"entra\", the sign-in, audit and risk logs of Entra ID, alerts and incidents of Defender XDR and the message trace of Exchange Online, through Microsoft Graph; \"okta\", the System Log of an Okta organization; \"google\", the activities of Google Workspace through the Reports API; \"github\", the audit log of GitHub Enterprise Cloud; \"slack\", the audit log of a Slack organization; \"eventhubs\", hubs of Azure Event Hubs, to which Entra ID, Defender XDR and others stream; \"kafka\", topics of any Kafka; \"controls\" collects nothing but watches what can switch the logging of a Microsoft tenant off, \"github-controls\" that of an enterprise at GitHub and \"okta-controls\" that of an organization at Okta (docs/reference/controls.md); \"audit-query\" holds what a source of type m365 has collected of the same tenant against the audit log query API of Microsoft Graph, an hour at a time and a day later, and keeps what the feed lacks (docs/reference/reconcile.md); \"canary\" collects nothing either but does harmless acts in a Microsoft tenant and waits for their records (docs/reference/canaries.md); \"cloudtrail\", what AWS CloudTrail delivers to a bucket, checked by its digests; \"s3\", the objects of any bucket; \"files\", the files of a folder of this machine. Required."`
	Tenant string `toml:"tenant" doc:"Whose records they are. m365, entra, controls, canary, audit-query, eventhubs: directory (tenant) id, a GUID. kafka: what you call it; records of one tenant are compared by their ids. github: name of the organization or enterprise as it stands in its address. github-controls: that of the enterprise. slack: id of the organization, which begins with E. okta, okta-controls: host name of the organization, such as \"contoso.okta.com\". google: customer id, which begins with C. cloudtrail: number of the account, or id of the organization, which begins with o-, of an organization trail. s3, files: a name that you choose, one for each bucket or folder. Required."`
	Plan   string `toml:"plan" doc:"m365, entra, controls, canary, audit-query, eventhubs: which cloud the tenant is in: enterprise, gcc, gcc-high or dod."`

	ClientID         string   `toml:"client_id" doc:"m365, entra, controls, canary, audit-query, eventhubs without connection_string: application (client) id of the registration, a GUID. Required. That of canaries is theirs alone."`
	Addresses        []string `toml:"addresses" doc:"m365, entra, controls, canary, audit-query, eventhubs with client_id: from where this program signs in as the application: its public addresses, as the vendor sees them, or networks such as \"2001:db8:7::/48\". It holds for the application, so that one source of it suffices. A sign-in from anywhere else is an alert at once. Empty, of which check-config warns: whoever uses the application in the first seven days is taken for this program, a thief of its credential included, and only an address that is new after that is an alert."`
	Certificate      Secret   `toml:"certificate" doc:"Where the application's certificate and its private key are, both as PEM: \"file:PATH\", \"env:NAME\", \"command:/PROGRAM ARG…\", or 'command:[\"/PROGRAM\",\"AN ARG\"]' where a word holds blanks. m365, entra, controls, canary and audit-query take exactly one of certificate, federated_token and client_secret, eventhubs one of them or connection_string."`
	FederatedToken   Secret   `toml:"federated_token" doc:"Where the token of a workload identity is, such as \"file:/var/run/secrets/azure/tokens/azure-identity-token\"; it is read again whenever a token is fetched."`
	ClientSecret     Secret   `toml:"client_secret" doc:"Where the client secret is. A certificate is better: it never travels."`
	Account          string   `toml:"account" doc:"github: organization or enterprise, whichever tenant is the name of. Default: organization. The log of an enterprise holds those of its organizations."`
	ServiceAccount   Secret   `toml:"service_account" doc:"google: where the key of the service account is, the JSON file of Google Cloud. It is read again whenever a token is fetched. Required."`
	Admin            string   `toml:"admin" doc:"google: address of the administrator in whose name the service account reads. Required."`
	APIToken         Secret   `toml:"api_token" doc:"okta, okta-controls, github, github-controls, slack: where the token is that the API takes; of Okta an API token, or an access token of OAuth that a program gets. It is read again when the API refuses it, so that a new one counts without a restart. Required."`
	Namespace        string   `toml:"namespace" doc:"eventhubs: name of the namespace, or its host where it is not under servicebus.windows.net. Required."`
	ConnectionString Secret   `toml:"connection_string" doc:"eventhubs: where the connection string is, of a policy with the right Listen. The alternative is an application with the role Azure Event Hubs Data Receiver."`
	Brokers          []string `toml:"brokers" doc:"kafka: addresses of brokers, host:port; one suffices to find the others. Required. eventhubs: instead of the namespace's own, for a simulator or a proxy. Brokers are spoken to by TLS, but on loopback."`
	SASL             string   `toml:"sasl" doc:"kafka: plain, scram-sha-256 or scram-sha-512; empty means that brokers want no password."`
	Username         string   `toml:"username" doc:"kafka: user of sasl."`
	Password         Secret   `toml:"password" doc:"kafka: where the password of sasl is."`
	CA               string   `toml:"ca" doc:"kafka: PEM file of the authorities that brokers have their certificates from, if they are not the system's."`
	Retention        Duration `toml:"retention" doc:"eventhubs, kafka: how long the hub or topic keeps messages, as it is set there. How much time is left before messages are lost is reckoned from it. Default: 24h."`
	Bucket           string   `toml:"bucket" doc:"cloudtrail, s3: name of the bucket. Required."`
	Region           string   `toml:"region" doc:"cloudtrail, s3: region of the bucket, such as \"eu-west-1\"; what a compatible store calls so. Required."`
	Prefix           string   `toml:"prefix" doc:"cloudtrail: what stands before AWSLogs/ in the keys, as the trail is configured. Empty: nothing does."`
	Folder           string   `toml:"folder" doc:"files: absolute path of the folder. Files are taken as they are there, gzip and folders below included; names that begin with a dot, and links, are left out. Required."`
	Quiet            Duration `toml:"quiet" doc:"files: how long a file must not have been changed to be taken. Default: 1m."`
	Prefixes         []string `toml:"prefixes" doc:"s3, files: what the keys, or the paths below the folder, begin with that are collected. Empty: all of them."`
	Format           string   `toml:"format" doc:"s3, files: what the records are, as of import --source. Default: auto, which tells it from each."`
	SinceDays        int      `toml:"since_days" doc:"cloudtrail, s3, files: how many days back objects are collected. Default: 90."`
	PathStyle        bool     `toml:"path_style" doc:"cloudtrail, s3: the bucket stands in the path and not in the host name, as many compatible stores want it."`
	AccessKeyID      string   `toml:"access_key_id" doc:"cloudtrail, s3: id of an access key. Empty: the AWS SDK looks for a credential in its own places: the environment, shared files, a web identity, a container's or an instance's role."`
	SecretKey        Secret   `toml:"secret_access_key" doc:"cloudtrail, s3: where the secret of the access key is. It is read again when it is refused. Required with access_key_id."`
	RoleARN          string   `toml:"role_arn" doc:"cloudtrail, s3: role that is assumed with the credential."`
	ExternalID       string   `toml:"external_id" doc:"cloudtrail, s3: external id that the role asks for."`
	TrailAPI         string   `toml:"trail_api" doc:"cloudtrail: base address of CloudTrail's own API, which gives the keys of the digests, instead of the region's, for a simulator or a proxy."`
	Publisher        string   `toml:"publisher" doc:"m365: GUID that the provider counts requests under. Empty means the tenant's own id."`

	API   string `toml:"api" doc:"Base address of the API instead of the plan's, for a simulator or a proxy. HTTPS, or plain HTTP on loopback."`
	Login string `toml:"login" doc:"Base address of the token service instead of the plan's, in the same way."`

	Streams           []string `toml:"streams" doc:"Which logs are collected; empty means all of the type, but of eventhubs and kafka, where these are the names of hubs and topics. Required there. m365: Audit.AzureActiveDirectory, Audit.Exchange, Audit.SharePoint, Audit.General, DLP.All. entra: signIns, signIns.nonInteractiveUser, signIns.servicePrincipal, signIns.managedIdentity, directoryAudits, provisioning, riskDetections, riskyUsers, userRegistrationDetails, alerts, incidents, messageTraces. okta: system-log. google: the applications of the Reports API, as [connect-google.md](../connect-google.md) lists them. github: audit-log, git. slack: audit-logs. controls: unified-audit-log, mailbox-audit-default, mailbox-audit, audit-bypass, licenses, user-license, diagnostic-settings, event-hub, subscription, application, which are read and not collected. github-controls: audit-log-streaming, source-ip-disclosure. okta-controls: log-stream, event-hook. canary: sign-in, group, file, mail, which are kinds of acts; empty means sign-in and those for which it is said where. audit-query: auditLogRecords. cloudtrail: CloudTrail, CloudTrail-Insight, CloudTrail-Digest. s3: objects. files: files. What is left out is \"not collected\" in the coverage statement."`
	Poll              Duration `toml:"poll" doc:"How often the newest content is asked for. Default: 3s of m365, 30s of entra, google and github, 10s of okta and slack, 15s of cloudtrail, s3 and files, 5m of controls and okta-controls, 10m of github-controls. audit-query: how often it is looked whether the next hour can be asked for, 1m. eventhubs, kafka: how often it is looked where the logs end, 10s; messages come by themselves."`
	Sweep             Duration `toml:"sweep" doc:"How often the window behind it is read again, for content that came late; of controls, how often all mailboxes are read. Default: 1m of m365, 1h of controls, 5m of all others. audit-query, github-controls, okta-controls, eventhubs and kafka have none."`
	RequestsPerMinute int      `toml:"requests_per_minute" doc:"Most requests a minute for the tenant, whoever makes them. Sources of one tenant and type share it and give the same. Default: 2000 of m365 and 30 of entra, which are the vendor's; 240 of google, 60 of okta, 25 of github and 40 of slack, a little less than that; 6000 of cloudtrail and s3, which S3 takes easily; 60 of controls and audit-query, far less; 30 of okta-controls, and of github-controls, which reads twelve times an hour at most. eventhubs, kafka and files have none."`

	Mode  string   `toml:"mode" doc:"canary: \"dry-run\" says what would be done, \"live\" does it. Default: dry-run."`
	Every Duration `toml:"every" doc:"canary: time between two acts of a kind, at least 5m. Default: 1h."`

	Group   string `toml:"group" doc:"canary: object id of a group that is there for canaries alone: its description is changed. Needed for the kind group."`
	Drive   string `toml:"drive" doc:"canary: id of the drive of a document library that is there for canaries alone: a file is put there and deleted. Needed for the kind file."`
	Mailbox string `toml:"mailbox" doc:"canary: mail address of a mailbox that is there for canaries alone: a mail is sent from it to itself and deleted. Needed for the kind mail."`

	Desired *Desired `toml:"desired" doc:"controls, github-controls, okta-controls: how the tenant should be set up to log, where that is not the same in every tenant."`
	Webhook *Webhook `toml:"webhook" doc:"m365, google: where the provider may tell that there is content. It is a hint that makes the next poll come sooner; nothing depends on it."`
}

// Desired is what a watch of controls takes for good.
type Desired struct {
	Bypassed   []string `toml:"bypassed" doc:"controls: accounts that mailbox auditing may leave out, such as those of old archiving products."`
	Unaudited  []string `toml:"unaudited" doc:"controls: mailboxes whose auditing may be off or less than the default."`
	Categories []string `toml:"categories" doc:"controls: categories of Entra's logs that a diagnostic setting must send out, such as SignInLogs. Empty: those that were sent when the watch first looked."`
	LogStreams []string `toml:"log_streams" doc:"github-controls, okta-controls: ids of the streams of the log that must be there and on, as \"daybreak controls\" shows them. Others may do as they like. Empty: all that were seen."`
	EventHooks []string `toml:"event_hooks" doc:"okta-controls: ids of the event hooks, likewise."`
}

// Webhook is where the provider sends its hints.
type Webhook struct {
	URL    string `toml:"url" doc:"Public address that reaches /hook/m365/NAME of this server, or of a source of type google /hook/google/NAME, such as \"https://audit.example.com/hook/m365/contoso\". HTTPS, or plain HTTP on loopback. Required."`
	AuthID Secret `toml:"auth_id" doc:"Where the word is that the provider sends along, 16 to 256 characters; what comes without it is refused. Required."`
}

// kind is what holds for the sources of a type.
type kind struct {
	streams   []string // nil: topics, which have the names that somebody gave them
	poll      time.Duration
	sweep     time.Duration
	perMinute int           // the vendor's baseline for a tenant
	least     int           // requests a minute with which the streams can be followed
	webhook   string        // what its address begins with below /hook/; empty: it has none
	watches   bool          // it collects nothing
	desired   []string      // what may be said of how things should stand; nil: nothing
	every     time.Duration // between two canaries; 0: it plants none
	// tenant says what is wrong with a tenant's id, and fold gives it the form in which ids are compared.
	tenant func(id string) (msg string)
	fold   func(id string) string
	keys   []string // the settings that it has and not all types have
}

var microsoft = []string{"plan", "client_id", "addresses", "certificate", "federated_token", "client_secret", "publisher", "login", "api"}

// aws are the settings of sources of a bucket.
var aws = []string{"api", "bucket", "region", "since_days", "path_style", "access_key_id", "secret_access_key", "role_arn", "external_id"}

// kinds are the types of sources.
var kinds = map[string]*kind{
	"m365": {
		streams: []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"},
		poll:    3 * time.Second, sweep: time.Minute, perMinute: 2000, least: 60, webhook: "m365",
		tenant: directory, fold: strings.ToLower, keys: microsoft,
	},
	"controls": {
		streams: []string{
			"unified-audit-log", "mailbox-audit-default", "mailbox-audit", "audit-bypass", "licenses", "user-license", "diagnostic-settings", "event-hub",
			"subscription", "application",
		},
		poll: 5 * time.Minute, sweep: time.Hour, perMinute: 60, least: 10, watches: true, desired: []string{"bypassed", "unaudited", "categories"},
		tenant: directory, fold: strings.ToLower, keys: microsoft,
	},
	"github-controls": {
		streams: []string{"audit-log-streaming", "source-ip-disclosure"},
		poll:    10 * time.Minute, perMinute: 30, least: 1, watches: true, desired: []string{"log_streams"},
		tenant: account, fold: strings.ToLower, keys: []string{"api_token", "api"},
	},
	"okta-controls": {
		streams: []string{"log-stream", "event-hook"},
		poll:    5 * time.Minute, perMinute: 30, least: 1, watches: true, desired: []string{"log_streams", "event_hooks"},
		tenant: oktaHost, fold: strings.ToLower, keys: []string{"api_token", "api"},
	},
	"canary": {
		streams: []string{"sign-in", "group", "file", "mail"}, every: time.Hour, watches: true,
		tenant: directory, fold: strings.ToLower,
		keys: []string{"plan", "client_id", "addresses", "certificate", "federated_token", "client_secret", "login", "api", "mode", "every", "group", "drive", "mailbox"},
	},
	"entra": {
		streams: []string{
			"signIns", "signIns.nonInteractiveUser", "signIns.servicePrincipal", "signIns.managedIdentity", "directoryAudits", "provisioning",
			"riskDetections", "riskyUsers", "userRegistrationDetails", "alerts", "incidents", "messageTraces",
		},
		poll: 30 * time.Second, sweep: 5 * time.Minute, perMinute: 30, least: 20,
		tenant: directory, fold: strings.ToLower, keys: microsoft,
	},
	"audit-query": {
		streams: []string{"auditLogRecords"},
		poll:    time.Minute, perMinute: 60, least: 10,
		tenant: directory, fold: strings.ToLower, keys: microsoft,
	},
	"google": {
		streams: []string{
			"access_evaluation", "access_transparency", "admin", "assignments", "calendar", "chat", "chrome", "classroom", "cloud_search",
			"context_aware_access", "data_migration", "data_studio", "directory_sync", "drive", "gcp", "gemini_in_workspace_apps", "gmail", "gplus", "groups",
			"groups_enterprise", "jamboard", "keep", "ldap", "login", "meet", "meet_hardware", "mobile", "profile", "rules", "saml", "tasks", "token",
			"user_accounts", "vault",
		},
		poll: 30 * time.Second, sweep: 5 * time.Minute, perMinute: 240, least: 100, webhook: "google",
		tenant: workspace, fold: asWritten, keys: []string{"service_account", "admin", "login", "api"},
	},
	"eventhubs": {
		poll: 10 * time.Second, tenant: directory, fold: strings.ToLower,
		keys: []string{"plan", "client_id", "addresses", "certificate", "federated_token", "client_secret", "login", "namespace", "connection_string", "brokers", "retention"},
	},
	"kafka": {
		poll: 10 * time.Second, tenant: anyName, fold: asWritten, keys: []string{"brokers", "sasl", "username", "password", "ca", "retention"},
	},
	"github": {
		streams: []string{"audit-log", "git"},
		poll:    30 * time.Second, sweep: 5 * time.Minute, perMinute: 25, least: 10,
		tenant: account, fold: strings.ToLower, keys: []string{"account", "api_token", "api"},
	},
	"okta": {
		streams: []string{"system-log"},
		poll:    10 * time.Second, sweep: 5 * time.Minute, perMinute: 60, least: 12,
		tenant: oktaHost, fold: strings.ToLower, keys: []string{"api_token", "api"},
	},
	"slack": {
		streams: []string{"audit-logs"},
		poll:    10 * time.Second, sweep: 5 * time.Minute, perMinute: 40, least: 15,
		tenant: organization, fold: strings.ToUpper, keys: []string{"api_token", "api"},
	},
	"cloudtrail": {
		streams: []string{"CloudTrail", "CloudTrail-Insight", "CloudTrail-Digest"},
		poll:    15 * time.Second, sweep: 5 * time.Minute, perMinute: 6000, least: 60,
		tenant: awsAccount, fold: strings.ToLower, keys: append([]string{"prefix", "trail_api"}, aws...),
	},
	"files": {
		streams: []string{"files"},
		poll:    15 * time.Second, sweep: 5 * time.Minute,
		tenant: bucketOwner, fold: strings.ToLower, keys: []string{"folder", "quiet", "prefixes", "format", "since_days"},
	},
	"s3": {
		streams: []string{"objects"},
		poll:    15 * time.Second, sweep: 5 * time.Minute, perMinute: 6000, least: 60,
		tenant: bucketOwner, fold: strings.ToLower, keys: append([]string{"prefixes", "format"}, aws...),
	},
}

// Types are the types of sources, in their order.
func Types() []string { return slices.Sorted(maps.Keys(kinds)) }

// Watches reports whether sources of a type collect nothing but watch settings, so that their streams are none.
func Watches(typ string) bool {
	k := kinds[typ]
	return k != nil && k.watches
}

// Streams are those of a type.
func Streams(typ string) []string {
	if k := kinds[typ]; k != nil {
		return slices.Clone(k.streams)
	}
	return nil
}

var (
	plans    = []string{"enterprise", "gcc", "gcc-high", "dod"}
	accounts = []string{"organization", "enterprise"}
	modes    = []string{"dry-run", "live"}
)

// DefaultSource returns what a block of a source of the type need not say.
func DefaultSource(typ string) Source {
	k := kinds[typ]
	if k == nil {
		k = kinds["m365"]
	}
	s := Source{Type: typ, Poll: Duration(k.poll), Sweep: Duration(k.sweep), RequestsPerMinute: k.perMinute, Every: Duration(k.every)}
	if k.has("plan") {
		s.Plan = "enterprise"
	}
	if k.has("account") {
		s.Account = accounts[0]
	}
	if k.has("mode") {
		s.Mode = modes[0]
	}
	if k.has("since_days") {
		s.SinceDays = 90
	}
	if k.has("format") {
		s.Format = "auto"
	}
	if k.has("quiet") {
		s.Quiet = Duration(time.Minute)
	}
	if k.has("retention") {
		s.Retention = Duration(24 * time.Hour)
	}
	return s
}

// fill sets what the file does not say. GUIDs and addresses get the form in
// which they are compared.
func (s *Source) fill(said func(key string) bool) {
	def := DefaultSource(s.Type)
	if !said("plan") {
		s.Plan = def.Plan
	}
	if !said("account") {
		s.Account = def.Account
	}
	if !said("mode") {
		s.Mode = def.Mode
	}
	if !said("every") {
		s.Every = def.Every
	}
	if !said("since_days") {
		s.SinceDays = def.SinceDays
	}
	if !said("format") {
		s.Format = def.Format
	}
	if !said("poll") {
		s.Poll = def.Poll
	}
	if !said("quiet") {
		s.Quiet = def.Quiet
	}
	if !said("retention") {
		s.Retention = def.Retention
	}
	if !said("sweep") {
		s.Sweep = def.Sweep
	}
	if !said("requests_per_minute") {
		s.RequestsPerMinute = def.RequestsPerMinute
	}
	if len(s.Streams) == 0 {
		s.Streams = Streams(s.Type)
		if s.Type == "canary" {
			s.Streams = slices.DeleteFunc(s.Streams, func(kind string) bool { t := s.target(kind); return t != nil && t.value == "" })
		}
	}
	s.Group = strings.ToLower(s.Group)
	s.ClientID, s.Publisher = strings.ToLower(s.ClientID), strings.ToLower(s.Publisher)
	k := kinds[s.Type]
	if k == nil {
		return // and refused
	}
	s.Tenant = k.fold(s.Tenant)
	if s.Publisher == "" && k.has("publisher") {
		s.Publisher = s.Tenant
	}
	s.Namespace = strings.ToLower(s.Namespace)
	s.API, s.Login, s.TrailAPI = strings.TrimSuffix(s.API, "/"), strings.TrimSuffix(s.Login, "/"), strings.TrimSuffix(s.TrailAPI, "/")
	if s.Prefix != "" && !strings.HasSuffix(s.Prefix, "/") {
		s.Prefix += "/"
	}
}

// Credential returns the reference to what the source proves itself with, and
// the setting that holds it.
func (s *Source) Credential() (kind string, ref Secret) {
	for _, c := range s.credentials() {
		if c.ref != "" {
			return c.key, c.ref
		}
	}
	return "", ""
}

type proof struct {
	key string
	ref Secret
}

func (s *Source) credentials() []proof {
	return []proof{{"certificate", s.Certificate}, {"federated_token", s.FederatedToken}, {"client_secret", s.ClientSecret}, {"service_account", s.ServiceAccount}, {"api_token", s.APIToken}, {"connection_string", s.ConnectionString}, {"password", s.Password}, {"secret_access_key", s.SecretKey}}
}

func sourcePath(i int, key string) string { return "source." + strconv.Itoa(i) + "." + key }

// checkSources checks each source, and then all together.
func checkSources(sources []Source) error {
	for i := range sources {
		if key, msg := sources[i].check(); msg != "" {
			return problemf(sourcePath(i, key), "%s: %s", sources[i].label(i), msg)
		}
		for j := range sources[:i] {
			if key, msg := conflict(&sources[i], &sources[j]); msg != "" {
				return problemf(sourcePath(i, key), "%s: %s", sources[i].label(i), msg)
			}
		}
	}
	for i := range sources {
		s := &sources[i]
		if s.Type == "audit-query" && !slices.ContainsFunc(sources, func(other Source) bool { return other.Type == "m365" && other.Tenant == s.Tenant }) {
			return problemf(sourcePath(i, "type"), "%s: audit-query holds what a source of type m365 collects against the audit log, and none collects this tenant: add one, or take this source out", s.label(i))
		}
	}
	return nil
}

func (s *Source) label(i int) string {
	if validName(s.Name) {
		return fmt.Sprintf("source %q", s.Name)
	}
	return fmt.Sprintf("source %d", i+1)
}

// conflict says why two sources cannot be together.
func conflict(s, other *Source) (key, msg string) {
	if s.Name == other.Name {
		return "name", "there are two of this name: give each source a name of its own"
	}
	if (kinds[s.Type].every != 0) != (kinds[other.Type].every != 0) && s.Tenant == other.Tenant && s.ClientID != "" && s.ClientID == other.ClientID {
		return "client_id", fmt.Sprintf("canaries and source %q are the same application: register one for canaries that has no permission, so that its credential is worth nothing", other.Name)
	}
	if s.Tenant != other.Tenant || s.Type != other.Type || s.Namespace != other.Namespace {
		return "", ""
	}
	for _, stream := range s.Streams {
		if slices.Contains(other.Streams, stream) {
			return "streams", fmt.Sprintf("%s of this tenant is collected by source %q already: leave it out of streams in one of them", stream, other.Name)
		}
	}
	if s.RequestsPerMinute != other.RequestsPerMinute {
		return "requests_per_minute", fmt.Sprintf("source %q is of the same tenant, they share one budget: give both the same requests_per_minute", other.Name)
	}
	return "", ""
}

// check returns the key that is wrong and the sentence; both are empty if the
// source is good. Values of keys that may hold a secret by mistake are not
// repeated.
func (s *Source) check() (key, msg string) {
	for _, step := range []func() (string, string){s.checkIdentity, s.checkCredential, s.checkAddresses, s.checkOrigin, s.checkTopics, s.checkWork, s.checkWebhook, s.checkDesired} {
		if key, msg := step(); msg != "" {
			return key, msg
		}
	}
	return "", ""
}

func (s *Source) checkIdentity() (key, msg string) {
	switch {
	case s.Name == "":
		return "name", "name is missing: give it a short name of a to z, 0 to 9 and -"
	case !validName(s.Name):
		return "name", "name must be 1 to 40 characters of a to z, 0 to 9 and -, and begin with a letter or digit"
	case s.Name == "daybreak":
		return "name", `name is "daybreak", under which the program's own acts stand: take another`
	case s.Type == "":
		return "type", "type is missing: give one of " + strings.Join(Types(), ", ")
	case kinds[s.Type] == nil:
		return "type", fmt.Sprintf("type is %.40q: want one of %s", s.Type, strings.Join(Types(), ", "))
	}
	k := kinds[s.Type]
	if msg := k.tenant(s.Tenant); msg != "" {
		return "tenant", msg
	}
	if key := s.foreign(k); key != "" {
		return key, key + ": a source of type " + s.Type + " has none: leave it out"
	}
	switch {
	case k.has("bucket"):
		return s.checkBucket()
	case k.has("folder"):
		return s.checkFolder()
	case k.has("admin") && s.Admin == "":
		return "admin", "admin is missing: give the mail address of the administrator in whose name the service account reads"
	case k.has("admin") && !mailAddress.MatchString(s.Admin):
		return "admin", "admin is no mail address: give that of the administrator in whose name the service account reads"
	case k.has("account") && !slices.Contains(accounts, s.Account):
		return "account", fmt.Sprintf("account is %.40q: want %s", s.Account, strings.Join(accounts, " or "))
	case !k.has("client_id"):
		return "", ""
	case !slices.Contains(plans, s.Plan):
		return "plan", fmt.Sprintf("plan is %.40q: want %s or %s", s.Plan, strings.Join(plans[:3], ", "), plans[3])
	case s.ClientID == "" && s.ConnectionString != "":
		return "", ""
	case s.ClientID == "" && k.has("connection_string"):
		return "connection_string", "connection_string is missing: say where it is, as env:NAME, file:PATH or command:/PROGRAM ARG…, or give client_id and certificate"
	case s.ConnectionString != "":
		return "client_id", "client_id and connection_string contradict each other: give one of them"
	case s.ClientID == "":
		return "client_id", "client_id is missing: give the application (client) id, a GUID"
	case !guid(s.ClientID):
		return "client_id", "client_id is not a GUID: give the application (client) id"
	case s.Publisher != "" && !guid(s.Publisher):
		return "publisher", "publisher is not a GUID: leave it out, or give the tenant id of who runs this program"
	}
	return "", ""
}

func (s *Source) checkCredential() (key, msg string) {
	first := ""
	for _, c := range s.credentials() {
		if c.ref == "" {
			continue
		}
		if _, err := c.ref.Reference(); err != nil {
			return c.key, c.key + ": " + err.Error()
		}
		if first != "" {
			return c.key, first + " and " + c.key + " contradict each other: give one of them"
		}
		first = c.key
	}
	switch {
	case kinds[s.Type].has("bucket"):
		return s.checkAccessKey(first)
	case s.Type == "kafka" && (first == "") != (s.SASL == ""):
		return "password", "sasl and password are given together, or not at all"
	case s.Type == "kafka" || kinds[s.Type].has("folder"):
		return "", ""
	case first == "" && kinds[s.Type].has("service_account"):
		return "service_account", "service_account is missing: say where the JSON file of the service account's key is, as env:NAME, file:PATH or command:/PROGRAM ARG…"
	case first == "" && kinds[s.Type].has("api_token"):
		return "api_token", "api_token is missing: say where the token is, as env:NAME, file:PATH or command:/PROGRAM ARG…"
	case first == "":
		return "", "no credential: give one of certificate, federated_token and client_secret, as env:NAME, file:PATH or command:/PROGRAM ARG…"
	}
	return "", ""
}

func (s *Source) checkAddresses() (key, msg string) {
	for _, a := range []struct{ key, text string }{{"api", s.API}, {"login", s.Login}, {"trail_api", s.TrailAPI}} {
		if a.text == "" {
			continue
		}
		u, msg := address(a.text)
		if msg == "" && strings.Trim(u.Path, "/") != "" {
			msg = "has a path: give the scheme and the host alone"
		}
		if msg != "" {
			return a.key, a.key + " " + msg
		}
	}
	return "", ""
}

// widest is how short the mask of a network may be that somebody signs in from: a wider one is nobody's own.
const widest = 8

// checkOrigin looks at where the application signs in from.
func (s *Source) checkOrigin() (key, msg string) {
	if len(s.Addresses) > 0 && s.ClientID == "" {
		return "addresses", "addresses are those that client_id signs in from, and there is none: leave them out"
	}
	for _, text := range s.Addresses {
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			continue
		}
		switch p, err := netip.ParsePrefix(text); {
		case err != nil:
			return "addresses", fmt.Sprintf("%.60q in addresses is neither an address nor a network: give such as \"203.0.113.7\" or \"2001:db8:7::/48\"", text)
		case p != p.Masked():
			return "addresses", fmt.Sprintf("%s in addresses has bits outside its mask: give %s", text, p.Masked())
		case p.Bits() < widest:
			return "addresses", fmt.Sprintf("%s in addresses is so wide that anybody may be in it: give the addresses of this machine", text)
		}
	}
	return "", ""
}

// checkTopics looks at where brokers are.
func (s *Source) checkTopics() (key, msg string) {
	if kinds[s.Type].streams != nil {
		return "", ""
	}
	for _, b := range s.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			return "brokers", fmt.Sprintf("%.60q is no address of a broker: want host:port, such as \"kafka.example.com:9093\"", b)
		}
	}
	switch {
	case s.Type == "eventhubs" && s.Namespace == "":
		return "namespace", "namespace is missing: give the name of the Event Hubs namespace"
	case s.Type == "eventhubs" && !hostName(s.Namespace+".servicebus.windows.net"):
		return "namespace", "namespace is no name: give what stands in front of .servicebus.windows.net, or the whole host"
	case s.Type == "kafka" && len(s.Brokers) == 0:
		return "brokers", `brokers is missing: give one or more, such as ["kafka.example.com:9093"]`
	case s.SASL != "" && !slices.Contains(mechanisms, s.SASL):
		return "sasl", fmt.Sprintf("sasl is %.40q: want %s", s.SASL, strings.Join(mechanisms, " or "))
	case (s.SASL != "") != (s.Username != ""):
		return "username", "sasl and username are given together, or not at all"
	}
	return "", ""
}

var mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

// Stream is the name in acts of what is collected under one of Streams: a hub has its namespace before it, for diagnostic
// settings give the same names everywhere.
func (s *Source) Stream(name string) string {
	if s.Type != "eventhubs" {
		return name
	}
	namespace, _, _ := strings.Cut(s.Namespace, ".")
	return namespace + "/" + name
}

// address parses a URL that requests or secrets may be sent to.
func address(text string) (u *url.URL, msg string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return nil, `is not an address: want for example "https://manage.office.com"`
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, "has a user, a question mark or a # in it: give the bare address"
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return nil, "is plain HTTP to another machine: only loopback may have that, give an https:// address"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "must begin with https://"
	}
	return u, ""
}

func (s *Source) checkWork() (key, msg string) {
	k := kinds[s.Type]
	for i, name := range s.Streams {
		switch {
		case k.streams == nil && !topic.MatchString(name):
			return "streams", fmt.Sprintf("%.60q is no name of a hub or topic: letters, digits, . _ and -", name)
		case k.streams != nil && !slices.Contains(k.streams, name):
			return "streams", fmt.Sprintf("%.60q is not a stream of %s: want %s", name, s.Type, strings.Join(k.streams, ", "))
		case slices.Contains(s.Streams[:i], name):
			return "streams", name + " stands twice in streams"
		}
	}
	switch {
	case k.every != 0:
		return s.checkPlanting()
	case s.Poll < Duration(time.Second) || s.Poll > Duration(10*time.Minute):
		return "poll", `poll must be between "1s" and "10m"`
	case len(s.Streams) == 0:
		return "streams", `streams is missing: name the hubs or topics, such as ["insights-logs-signinlogs"]`
	case k.sweep == 0 && s.Sweep != 0:
		return "sweep", "sweep: a source of type " + s.Type + " has none: leave it out"
	case k.perMinute == 0 && s.RequestsPerMinute != 0:
		return "requests_per_minute", "requests_per_minute: a source of type " + s.Type + " has none: leave it out"
	case k.streams == nil && (s.Retention < Duration(time.Hour) || s.Retention > Duration(366*24*time.Hour)):
		return "retention", `retention must be between "1h" and "8784h"`
	case k.streams == nil:
		return "", ""
	case k.sweep != 0 && s.Sweep < s.Poll && s.Sweep == Duration(k.sweep):
		return "poll", "poll is longer than sweep: give a longer sweep too"
	case k.sweep != 0 && s.Sweep < s.Poll:
		return "sweep", "sweep is shorter than poll: what poll reads need not be read again sooner"
	case s.Sweep > Duration(time.Hour):
		return "sweep", `sweep must be at most "1h": what comes late would wait for it`
	case k.perMinute == 0 && s.RequestsPerMinute != 0:
		return "requests_per_minute", "requests_per_minute: a source of type " + s.Type + " has none: leave it out"
	case s.RequestsPerMinute < k.least:
		return "requests_per_minute", fmt.Sprintf("requests_per_minute must be at least %d: with fewer the streams cannot be followed", k.least)
	case s.RequestsPerMinute > 1_000_000:
		return "requests_per_minute", "requests_per_minute must be at most 1000000"
	}
	return "", ""
}

// checkPlanting looks at when canaries are planted.
func (s *Source) checkPlanting() (key, msg string) {
	switch {
	case s.Poll != 0 || s.Sweep != 0 || s.RequestsPerMinute != 0:
		return "poll", "poll, sweep and requests_per_minute: a source of type " + s.Type + " has none: leave them out, and give every"
	case !slices.Contains(modes, s.Mode):
		return "mode", fmt.Sprintf("mode is %.40q: want %s", s.Mode, strings.Join(modes, " or "))
	case s.Every < Duration(5*time.Minute) || s.Every > Duration(24*time.Hour):
		return "every", `every must be between "5m" and "24h"`
	}
	for _, kind := range kinds[s.Type].streams {
		t := s.target(kind)
		if t == nil {
			continue
		}
		switch planted := slices.Contains(s.Streams, kind); {
		case planted && t.value == "":
			return t.key, fmt.Sprintf("%s is missing: canaries of the kind %s need it; or leave %s out of streams", t.key, kind, kind)
		case !planted && t.value != "":
			return t.key, fmt.Sprintf("%s is given, and %s is not among streams: leave it out", t.key, kind)
		case planted && !t.good(t.value):
			return t.key, t.key + " is not " + t.form
		}
	}
	return "", ""
}

// target is what canaries of a kind touch.
type target struct {
	key, value, form string
	good             func(string) bool
}

var driveID = regexp.MustCompile(`^[A-Za-z0-9!_.-]{8,200}$`)

// target returns that of a kind; nil if it touches nothing.
func (s *Source) target(kind string) *target {
	switch kind {
	case "group":
		return &target{"group", s.Group, "a GUID: give the group's object id", guid}
	case "file":
		return &target{"drive", s.Drive, "the id of a drive: give what Microsoft Graph calls so, such as b!-RIj2DuyvEyV1T4NlOaMHk8XkS…", driveID.MatchString}
	case "mail":
		return &target{"mailbox", s.Mailbox, "a mail address: give that of the mailbox", mailAddress.MatchString}
	}
	return nil
}

func (s *Source) checkWebhook() (key, msg string) {
	w := s.Webhook
	if w == nil {
		return "", ""
	}
	switch {
	case kinds[s.Type].webhook == "":
		return "webhook", "webhook: a source of type " + s.Type + " has none: leave it out"
	case w.URL == "":
		return "webhook.url", "webhook.url is missing: give the public address of this server's /hook/" + kinds[s.Type].webhook + "/" + s.Name
	case w.AuthID == "":
		return "webhook.auth_id", "webhook.auth_id is missing: without it anybody could send hints; give env:NAME, file:PATH or command:/PROGRAM ARG…"
	}
	if _, err := w.AuthID.Reference(); err != nil {
		return "webhook.auth_id", "webhook.auth_id: " + err.Error()
	}
	if _, msg := address(w.URL); msg != "" {
		return "webhook.url", "webhook.url " + msg
	}
	return "", ""
}

func (s *Source) checkDesired() (key, msg string) {
	d := s.Desired
	if d == nil {
		return "", ""
	}
	k := kinds[s.Type]
	if k.desired == nil {
		return "desired", "desired: a source of type " + s.Type + " has none: leave it out"
	}
	for _, list := range []struct {
		key  string
		of   []string
		what string
	}{{"bypassed", d.Bypassed, "an account"}, {"unaudited", d.Unaudited, "a mailbox"}, {"categories", d.Categories, "a category"}, {"log_streams", d.LogStreams, "a stream"}, {"event_hooks", d.EventHooks, "a hook"}} {
		key := "desired." + list.key
		switch {
		case len(list.of) > 0 && !slices.Contains(k.desired, list.key):
			return key, key + ": a source of type " + s.Type + " has none: want " + strings.Join(k.desired, ", ")
		case slices.Contains(list.of, ""):
			return key, key + " has an empty name in it: each is the name of " + list.what
		}
	}
	return "", ""
}

// validName reports whether a source can be called so; the name is part of
// paths and of metrics.
func validName(name string) bool {
	for _, r := range name {
		if r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 40 && name[0] != '-'
}
