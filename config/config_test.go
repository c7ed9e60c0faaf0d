// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/config"
)

//go:generate go test -run TestReference -update .
var update = flag.Bool("update", false, "write docs/reference/config.md")

func TestDefaults(t *testing.T) {
	empty, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), empty); diff != "" {
		t.Errorf("an empty file differs from the defaults:\n%s", diff)
	}
	none, err := config.Load("")
	if err != nil || cmp.Diff(none, empty) != "" {
		t.Errorf("no file differs from an empty one: %v", err)
	}
}

func TestEverySetting(t *testing.T) {
	got, err := config.Load("testdata/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Server:    config.Server{Listen: "0.0.0.0:443", TLSCert: "cert.pem", TLSKey: "key.pem"},
		Journal:   config.Journal{Name: "example.com/audit"},
		Retention: config.Retention{RawDays: 365, LakeDays: 90},
		Witness:   config.Witness{Policy: "policy.txt"},
		Enrich:    config.Enrich{Databases: []string{"country.mmdb", "asn.mmdb"}},
		Detect:    config.Detect{Rules: []string{"rules"}, Pipelines: []string{"fields.yml"}, Memory: 2 << 30},
		Incidents: config.Incidents{Common: []string{"203.0.113.0/24", "backup@contoso.example"}},
		Readiness: config.Readiness{Requirements: "requirements.toml", Groups: []string{"ring=1"}, Every: config.Duration(time.Minute)},
		Identity: config.Identity{
			List: "people.csv", Links: []string{"ann@contoso.example github:ann-lee"}, Deny: []string{"ann@contoso.example slack:U0ANNLEE01"},
			Organizations: []string{"0873ee4d-0000-4000-8000-000000000001 contoso.okta.com"},
		},
		Search: config.Search{Timeout: config.Duration(90 * time.Second), Memory: 1 << 30, Parallel: 4},
		Log:    config.Log{Level: "debug"},
		Sources: []config.Source{{
			Name: "contoso", Type: "m365", Tenant: "11111111-2222-3333-4444-55555555abcd", Plan: "gcc",
			ClientID: "66666666-7777-8888-9999-00000000abcd", Addresses: []string{"203.0.113.7", "2001:db8:7::/48"}, Certificate: "file:contoso.pem",
			Publisher: "99999999-8888-7777-6666-55555555abcd", API: "https://proxy.example.com", Login: "http://127.0.0.1:8080",
			Streams: []string{"Audit.Exchange", "DLP.All"}, Poll: config.Duration(10 * time.Second), Sweep: config.Duration(2 * time.Minute),
			RequestsPerMinute: 500,
			Webhook:           &config.Webhook{URL: "https://audit.example.com/hook/m365/contoso", AuthID: "env:CONTOSO_HOOK"},
		}},
		Receive: []config.Receive{{
			Name: "door", Type: "hec", Listen: "0.0.0.0:8088", Tenant: "contoso", Family: "github", Token: "env:DOOR_TOKEN",
			TLSCert: "cert.pem", TLSKey: "key.pem", ClientCA: "senders.pem",
		}},
		Notify: []config.Notify{
			{Name: "soar", Kind: "webhook", Level: "high", URL: "https://hooks.example.com/in", Secret: "env:SOAR_KEY", Hosts: []string{"*.example.com"}},
			{
				Name: "mail", Kind: "email", Level: "low", Secret: "file:mail.txt", Server: "mail.example.com:587", User: "daybreak",
				From: "Daybreak <daybreak@example.com>", To: []string{"soc@example.com", "Eve <eve@example.com>"},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The file must not forget a setting that is added later.
	differs(t, "", reflect.ValueOf(config.Default()), reflect.ValueOf(got))
	differs(t, "source", reflect.ValueOf(config.DefaultSource("")), reflect.ValueOf(got.Sources[0]))
	differs(t, "receive", reflect.ValueOf(config.DefaultReceive()), reflect.ValueOf(got.Receive[0]))
	both := got.Notify[1] // no channel has the settings of two kinds
	both.URL, both.Hosts = got.Notify[0].URL, got.Notify[0].Hosts
	differs(t, "notify", reflect.ValueOf(config.DefaultNotify()), reflect.ValueOf(both))
}

// differs complains of every setting that is alike in both.
func differs(t *testing.T, path string, def, got reflect.Value) {
	for i := range def.NumField() {
		name := path + "." + def.Type().Field(i).Name
		switch {
		case def.Field(i).Kind() == reflect.Struct:
			differs(t, name, def.Field(i), got.Field(i))
		case slices.Contains([]string{
			"source.FederatedToken", "source.ClientSecret", "source.APIToken", "source.Account", "source.ServiceAccount", "source.Admin", "source.Desired",
			"source.Namespace", "source.ConnectionString", "source.Brokers", "source.SASL", "source.Username", "source.Password", "source.CA", "source.Retention", "source.Mode", "source.Every", "source.Group", "source.Drive", "source.Mailbox", "source.Folder", "source.Quiet",
		}, name), slices.Contains(bucketSettings, name): // of another credential or type
		case reflect.DeepEqual(def.Field(i).Interface(), got.Field(i).Interface()):
			t.Errorf("full.toml leaves %s at its default", name)
		}
	}
}

// bucketSettings are those of sources of a bucket, which full.toml has none of.
var bucketSettings = []string{
	"source.Bucket", "source.Region", "source.Prefix", "source.Prefixes", "source.Format", "source.SinceDays", "source.PathStyle", "source.AccessKeyID", "source.SecretKey",
	"source.RoleARN", "source.ExternalID", "source.TrailAPI",
}

// TestBuckets: what short blocks of buckets mean, and what full ones.
func TestBuckets(t *testing.T) {
	got, err := config.Parse([]byte(`
[[source]]
name = "trail"
type = "cloudtrail"
tenant = "O-ABCDE12345"
bucket = "acme-trail"
region = "eu-west-1"

[[source]]
name = "logs"
type = "s3"
tenant = "acme-logs"
bucket = "acme-logs"
region = "us-east-1"
prefixes = ["waf/", "flow/"]
format = "github"
since_days = 7
path_style = true
access_key_id = "AKIAEXAMPLE"
secret_access_key = "env:SECRET"
role_arn = "arn:aws:iam::111122223333:role/daybreak"
external_id = "x"
api = "http://localhost:9000/"

[[source]]
name = "trail2"
type = "cloudtrail"
tenant = "111122223333"
bucket = "acme-trail"
region = "eu-west-1"
prefix = "audit"
trail_api = "https://trail.example.com/"
`))
	if err != nil {
		t.Fatal(err)
	}
	rate, poll, sweep := 6000, config.Duration(15*time.Second), config.Duration(5*time.Minute)
	want := []config.Source{
		{
			Name: "trail", Type: "cloudtrail", Tenant: "o-abcde12345", Bucket: "acme-trail", Region: "eu-west-1", SinceDays: 90,
			Streams: []string{"CloudTrail", "CloudTrail-Insight", "CloudTrail-Digest"}, Poll: poll, Sweep: sweep, RequestsPerMinute: rate,
		},
		{
			Name: "logs", Type: "s3", Tenant: "acme-logs", Bucket: "acme-logs", Region: "us-east-1", Prefixes: []string{"waf/", "flow/"}, Format: "github", SinceDays: 7, PathStyle: true,
			AccessKeyID: "AKIAEXAMPLE", SecretKey: "env:SECRET", RoleARN: "arn:aws:iam::111122223333:role/daybreak", ExternalID: "x", API: "http://localhost:9000",
			Streams: []string{"objects"}, Poll: poll, Sweep: sweep, RequestsPerMinute: rate,
		},
		{
			Name: "trail2", Type: "cloudtrail", Tenant: "111122223333", Bucket: "acme-trail", Region: "eu-west-1", Prefix: "audit/", TrailAPI: "https://trail.example.com", SinceDays: 90,
			Streams: []string{"CloudTrail", "CloudTrail-Insight", "CloudTrail-Digest"}, Poll: poll, Sweep: sweep, RequestsPerMinute: rate,
		},
	}
	if diff := cmp.Diff(want, got.Sources); diff != "" {
		t.Error(diff)
	}
}

// TestSourceDefaults: what a short block means.
func TestSourceDefaults(t *testing.T) {
	got, err := config.Parse([]byte(`
[[source]]
name = "contoso"
type = "m365"
tenant = "11111111-2222-3333-4444-55555555ABCD"
client_id = "66666666-7777-8888-9999-00000000ABCD"
client_secret = "env:SECRET"
api = "http://localhost:8080/"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Source{
		Name: "contoso", Type: "m365", Tenant: "11111111-2222-3333-4444-55555555abcd", Plan: "enterprise",
		ClientID: "66666666-7777-8888-9999-00000000abcd", ClientSecret: "env:SECRET",
		Publisher: "11111111-2222-3333-4444-55555555abcd", API: "http://localhost:8080",
		Streams: []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"},
		Poll:    config.Duration(3 * time.Second), Sweep: config.Duration(time.Minute), RequestsPerMinute: 2000,
	}
	if diff := cmp.Diff(want, got.Sources[0]); diff != "" {
		t.Error(diff)
	}
	if key, ref := got.Sources[0].Credential(); key != "client_secret" || ref != "env:SECRET" {
		t.Errorf("credential %s %s", key, ref)
	}
}

// TestSourcesWithATokenOfTheirAPI: what a short block means, and what must not be in it.
func TestSourcesWithATokenOfTheirAPI(t *testing.T) {
	got, err := config.Parse([]byte(`
[[source]]
name = "code"
type = "github"
tenant = "Contoso-Group"
account = "enterprise"
api_token = "file:github.token"

[[source]]
name = "chat"
type = "slack"
tenant = "e012ab3cd"
api_token = "env:SLACK"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Source{
		{
			Name: "code", Type: "github", Tenant: "contoso-group", Account: "enterprise", APIToken: "file:github.token", Streams: []string{"audit-log", "git"},
			Poll: config.Duration(30 * time.Second), Sweep: config.Duration(5 * time.Minute), RequestsPerMinute: 25,
		},
		{
			Name: "chat", Type: "slack", Tenant: "E012AB3CD", APIToken: "env:SLACK", Streams: []string{"audit-logs"},
			Poll: config.Duration(10 * time.Second), Sweep: config.Duration(5 * time.Minute), RequestsPerMinute: 40,
		},
	}
	if diff := cmp.Diff(want, got.Sources); diff != "" {
		t.Error(diff)
	}
	if key, ref := got.Sources[0].Credential(); key != "api_token" || ref != "file:github.token" {
		t.Errorf("credential %s %s", key, ref)
	}
	if def := config.DefaultSource("github"); def.Account != "organization" || def.Plan != "" {
		t.Errorf("default %+v", def)
	}
}

// TestOktaDefaults: what a short block of another type means.
func TestOktaDefaults(t *testing.T) {
	got, err := config.Parse([]byte("[[source]]\nname = \"okta\"\ntype = \"okta\"\ntenant = \"Contoso.okta.com\"\napi_token = \"file:token\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Source{
		Name: "okta", Type: "okta", Tenant: "contoso.okta.com", APIToken: "file:token", Streams: []string{"system-log"},
		Poll: config.Duration(10 * time.Second), Sweep: config.Duration(5 * time.Minute), RequestsPerMinute: 60,
	}
	if diff := cmp.Diff(want, got.Sources[0]); diff != "" {
		t.Error(diff)
	}
}

// TestMistakesRepeatNoSecret puts a secret wherever somebody might by mistake.
func TestMistakesRepeatNoSecret(t *testing.T) {
	const secret = "Xq8~hunter2hunter2.hunter2"
	block := func(lines ...string) string {
		return "[[source]]\nname = \"a\"\ntype = \"m365\"\ntenant = \"11111111-2222-3333-4444-555555555555\"\n" + strings.Join(lines, "\n") + "\n"
	}
	channel := func(kind string, lines ...string) string {
		return "[[notify]]\nname = \"a\"\nkind = \"" + kind + "\"\n" + strings.Join(lines, "\n") + "\n"
	}
	const client = "client_id = \"66666666-7777-8888-9999-000000000000\""
	for _, text := range []string{
		block(client, "client_secret = \""+secret+"\""),
		block(client, "client_secret = "+secret),
		block(client, "client_secret = [\""+secret+"\"]"),
		block(client, "client_secret = \"env:"+secret+"\""),
		block(client, "client_secret = \"secret:"+secret+"\""),
		block(client, "client_secrt = \""+secret+"\""),
		block(client, "certificate = \""+secret+"\""),
		block(client, "federated_token = \""+secret+"\""),
		block("client_id = \"" + secret + "\""),
		block(client, "api_token = \""+secret+"\""),
		strings.Replace(block("api_token = \""+secret+"\""), "m365", "entra", 1),
		block(client, "client_secret = \"env:A\"", "publisher = \""+secret+"\""),
		block(client, "client_secret = \"env:A\"", "api = \"https://user:"+secret+"@example.com\""),
		block(client, "client_secret = \"env:A\"", "webhook = { url = \"https://a.example/?"+secret+"\", auth_id = \"env:B\" }"),
		block(client, "client_secret = \"env:A\"", "webhook = { url = \"https://a.example/\", auth_id = \""+secret+"\" }"),
		channel("webhook", "url = \"https://a.example/in\"", "secret = \""+secret+"\""),
		channel("webhook", "url = \"https://a.example/in\"", "secret = \"env:"+secret+"\""),
		channel("webhook", "url = \"https://a.example/in?key="+secret+"\"", "secret = \"env:A\""),
		channel("webhook", "url = \"https://user:"+secret+"@a.example/in\"", "secret = \"env:A\""),
		channel("webhook", "url = \"https://a.example/"+secret+"\"", "hosts = [\"b.example\"]", "secret = \"env:A\""),
		channel("webhook", "url = [\""+secret+"\"]"),
		channel("slack", "secret = \"https://hooks.slack.com/"+secret+"\""),
		channel("slack", "url = \"https://hooks.slack.com/"+secret+"\""),
		channel("email", "secret = \""+secret+"\""),
		channel("email", "password = \""+secret+"\""),
	} {
		_, err := config.Parse([]byte(text))
		if err == nil {
			t.Errorf("accepted:\n%s", text)
		} else if strings.Contains(err.Error(), "hunter2") || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("of\n%sit says: %v", text, err)
		}
	}
}

// TestBadFiles: each file's first line says what must be said of it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d bad files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		want, ok := strings.CutPrefix(first, "# want: ")
		if !ok {
			t.Fatalf("%s does not begin with what it wants", file)
		}
		_, err = config.Load(file)
		if err == nil {
			t.Errorf("%s is accepted", file)
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "configuration "+file+": "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	if _, err := config.Load("testdata/absent.toml"); err == nil || !strings.Contains(err.Error(), "absent.toml") {
		t.Errorf("got %v", err)
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "localhost": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "example.com": false, "localhost.example.com": false,
	} {
		if got := config.Loopback(host); got != want {
			t.Errorf("Loopback(%q) = %v", host, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "4096": 4096, "64MiB": 64 << 20, "1 GiB": 1 << 30, "3KiB": 3072, "7B": 7} {
		var got config.Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q = %d, %v", text, got, err)
		}
		var again config.Size
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%d prints as %q and reads as %d, %v", got, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "1MB", "99999999999GiB", "1.5GiB"} {
		if err := new(config.Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestReference(t *testing.T) {
	const file = "../docs/reference/config.md"
	got := config.Reference()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/reference/config.md is out of date: go generate ./config\n%s", diff)
	}
	if strings.Contains(got, "|  |") {
		t.Error("a setting has no documentation")
	}
}

// TestTopics: what short blocks of hubs and topics mean.
func TestTopics(t *testing.T) {
	got, err := config.Parse([]byte(`
[[source]]
name = "hubs"
type = "eventhubs"
tenant = "11111111-2222-3333-4444-55555555ABCD"
namespace = "Contoso-Logs"
connection_string = "env:HUBS"
streams = ["insights-logs-signinlogs"]

[[source]]
name = "bus"
type = "kafka"
tenant = "Contoso"
brokers = ["kafka.example.com:9093"]
sasl = "scram-sha-512"
username = "daybreak"
password = "file:kafka.txt"
streams = ["audit"]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Source{
		{
			Name: "hubs", Type: "eventhubs", Tenant: "11111111-2222-3333-4444-55555555abcd", Plan: "enterprise", Namespace: "contoso-logs", ConnectionString: "env:HUBS",
			Streams: []string{"insights-logs-signinlogs"}, Poll: config.Duration(10 * time.Second), Retention: config.Duration(24 * time.Hour),
		},
		{
			Name: "bus", Type: "kafka", Tenant: "Contoso", Brokers: []string{"kafka.example.com:9093"}, SASL: "scram-sha-512", Username: "daybreak", Password: "file:kafka.txt",
			Streams: []string{"audit"}, Poll: config.Duration(10 * time.Second), Retention: config.Duration(24 * time.Hour),
		},
	}
	if diff := cmp.Diff(want, got.Sources); diff != "" {
		t.Error(diff)
	}
	if name := got.Sources[0].Stream("insights-logs-signinlogs"); name != "contoso-logs/insights-logs-signinlogs" {
		t.Errorf("the stream is %s", name)
	}
}
