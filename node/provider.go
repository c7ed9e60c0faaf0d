// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/google"
	"github.com/daybreak-sec/daybreak/provider/graph"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/slack"
)

// NewM365Client makes the client that a source's settings describe. adjust may be
// nil.
func NewM365Client(c *config.Source, b *budget.Budget, adjust func(*provider.Options)) (*provider.Client, error) {
	cred, err := CredentialOf(c)
	if err != nil {
		return nil, err
	}
	o := provider.Options{
		Tenant: c.Tenant, Plan: c.Plan, API: c.API, Login: c.Login,
		ClientID: c.ClientID, Publisher: c.Publisher, Credential: cred, Budget: b,
	}
	if adjust != nil {
		adjust(&o)
	}
	return provider.New(o)
}

// NewGraphClient makes the client that the settings of a source of Entra's logs describe. adjust may be nil.
func NewGraphClient(c *config.Source, b *budget.Budget, adjust func(*graph.Options)) (*graph.Client, error) {
	cred, err := CredentialOf(c)
	if err != nil {
		return nil, err
	}
	o := graph.Options{Tenant: c.Tenant, Plan: c.Plan, API: c.API, Login: c.Login, ClientID: c.ClientID, Credential: cred, Budget: b}
	if adjust != nil {
		adjust(&o)
	}
	return graph.New(o)
}

// NewGitHubClient makes the client that the settings of a source of GitHub's audit log describe. adjust may be nil.
func NewGitHubClient(c *config.Source, b *budget.Budget, adjust func(*github.Options)) (*github.Client, error) {
	token, err := TokenOf(c)
	if err != nil {
		return nil, err
	}
	o := github.Options{Account: c.Tenant, Enterprise: c.Account == "enterprise", API: c.API, Token: token, Budget: b}
	if adjust != nil {
		adjust(&o)
	}
	return github.New(o)
}

// NewSlackClient makes the client that the settings of a source of Slack's audit log describe. adjust may be nil.
func NewSlackClient(c *config.Source, b *budget.Budget, adjust func(*slack.Options)) (*slack.Client, error) {
	token, err := TokenOf(c)
	if err != nil {
		return nil, err
	}
	o := slack.Options{API: c.API, Token: token, Budget: b}
	if adjust != nil {
		adjust(&o)
	}
	return slack.New(o)
}

// NewGoogleClient makes the client that the settings of a source of Google Workspace describe. adjust may be nil.
func NewGoogleClient(c *config.Source, b *budget.Budget, adjust func(*google.Options)) (*google.Client, error) {
	key, err := c.ServiceAccount.Reference()
	if err != nil {
		return nil, fmt.Errorf("service_account: %w", err)
	}
	o := google.Options{Customer: c.Tenant, Admin: c.Admin, API: c.API, Login: c.Login, Key: key, Budget: b}
	if adjust != nil {
		adjust(&o)
	}
	return google.New(o)
}

// NewOktaClient makes the client that the settings of a source of an Okta organization describe. adjust may be nil.
func NewOktaClient(c *config.Source, b *budget.Budget, adjust func(*okta.Options)) (*okta.Client, error) {
	token, err := TokenOf(c)
	if err != nil {
		return nil, err
	}
	o := okta.Options{Org: c.Tenant, API: c.API, Token: token, Budget: b}
	if adjust != nil {
		adjust(&o)
	}
	return okta.New(o)
}

// TokenOf returns where the token is that the API of a source takes as it is.
func TokenOf(c *config.Source) (credential.Reference, error) {
	ref, err := c.APIToken.Reference()
	if err != nil {
		return credential.Reference{}, fmt.Errorf("api_token: %w", err)
	}
	return ref, nil
}

// CredentialOf returns what a source proves itself with.
func CredentialOf(c *config.Source) (credential.Credential, error) {
	key, text := c.Credential()
	ref, err := text.Reference()
	if err != nil {
		return credential.Credential{}, fmt.Errorf("%s: %w", key, err)
	}
	switch key {
	case "certificate":
		return credential.FromCertificate(ref, credential.Reference{}, credential.PS256), nil
	case "federated_token":
		return credential.FromToken(ref), nil
	case "client_secret":
		return credential.FromSecret(ref), nil
	}
	return credential.Credential{}, errors.New("no credential is configured")
}
