// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package aws_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/daybreak-sec/daybreak/sim/aws"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func newServer(t *testing.T, cfg aws.Config) (*aws.Server, *s3.Client) {
	t.Helper()
	s, err := aws.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return s, client(s, server.URL, "")
}

// client is the SDK's own, with a secret of its own if one is given.
func client(s *aws.Server, url, secret string) *s3.Client {
	id, good := s.AccessKey()
	if secret == "" {
		secret = good
	}
	return s3.New(s3.Options{
		Region: aws.Home, BaseEndpoint: &url, UsePathStyle: true, Retryer: sdk.NopRetryer{},
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
		}),
	})
}

// TestListing: what the SDK lists, page by page and folder by folder, is what is there; another secret lists nothing.
func TestListing(t *testing.T) {
	s, c := newServer(t, aws.Config{Now: func() time.Time { return noon }, PageSize: 4})
	var want []string
	for _, k := range []string{"a/1", "a/2", "a/b/1", "a/b/2", "a/c/1", "a/d 1+ü", "b/1", "top"} {
		s.Put(k, []byte(k), time.Time{})
		if strings.HasPrefix(k, "a/") {
			want = append(want, k)
		}
	}
	list := func(in s3.ListObjectsV2Input) (keys, folders []string, pages int) {
		in.Bucket = sdk.String(s.Bucket())
		p := s3.NewListObjectsV2Paginator(c, &in)
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pages++
			for _, o := range out.Contents {
				keys = append(keys, *o.Key)
			}
			for _, f := range out.CommonPrefixes {
				folders = append(folders, *f.Prefix)
			}
		}
		return keys, folders, pages
	}
	if keys, _, pages := list(s3.ListObjectsV2Input{Prefix: sdk.String("a/")}); !slices.Equal(keys, want) || pages != 2 {
		t.Errorf("%q on %d pages, want %q on 2", keys, pages, want)
	}
	if keys, _, _ := list(s3.ListObjectsV2Input{Prefix: sdk.String("a/"), StartAfter: sdk.String("a/b/1")}); !slices.Equal(keys, want[3:]) {
		t.Errorf("%q after a/b/1", keys)
	}
	keys, folders, _ := list(s3.ListObjectsV2Input{Prefix: sdk.String("a/"), Delimiter: sdk.String("/")})
	if !slices.Equal(keys, []string{"a/1", "a/2", "a/d 1+ü"}) || !slices.Equal(folders, []string{"a/b/", "a/c/"}) {
		t.Errorf("%q and the folders %q", keys, folders)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	_, err := client(s, server.URL, "another").ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: sdk.String(s.Bucket())})
	if err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
		t.Errorf("another secret: %v", err)
	}
}

// TestOneAct: who signs in to AWS has signed in to Microsoft 365 a moment before, from the same address.
func TestOneAct(t *testing.T) {
	world, err := m365.New(m365.Config{Seed: 5, Company: company.Config{People: 60, PerDay: 300}, History: 4 * time.Hour, Start: noon})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	world.Pause(true)
	signIns := map[string]bool{} // by address and person
	world.Happened(company.AzureActiveDirectory, world.Begin(), world.Now(), func(_, _ time.Time, raw []byte) bool {
		var a struct{ UserID, ClientIP string }
		if json.Unmarshal(raw, &a) == nil {
			signIns[strings.ToLower(a.UserID)+" "+a.ClientIP] = true
		}
		return true
	})
	s, c := newServer(t, aws.Config{Tenant: world})
	consoles := 0
	for _, key := range s.Keys("AWSLogs/" + s.Account() + "/CloudTrail/us-east-1/") {
		out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: sdk.String(s.Bucket()), Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		unzip, err := gzip.NewReader(out.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(unzip)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Records []struct {
				EventName, SourceIPAddress string
				UserIdentity               struct{ PrincipalID string }
			}
		}
		if err := json.Unmarshal(bytes.TrimSpace(text), &file); err != nil {
			t.Fatal(err)
		}
		for _, r := range file.Records {
			if r.EventName != "ConsoleLogin" {
				continue
			}
			consoles++
			_, mail, _ := strings.Cut(r.UserIdentity.PrincipalID, ":")
			if !signIns[mail+" "+r.SourceIPAddress] {
				t.Errorf("%s from %s has not signed in", mail, r.SourceIPAddress)
			}
		}
	}
	if consoles < 5 {
		t.Fatalf("only %d sign-ins: this proves nothing", consoles)
	}
}
