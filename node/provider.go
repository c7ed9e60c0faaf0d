// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/google"
	"github.com/daybreak-sec/daybreak/provider/graph"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/slack"
)

// NewM365Client makes the client that a source's settings describe.
func NewM365Client(c *config.Source, shared rest.Shared) (*provider.Client, error) {
	cred, err := CredentialOf(c)
	if err != nil {
		return nil, err
	}
	return provider.New(provider.Options{
		Tenant: c.Tenant, Plan: c.Plan, API: c.API, Login: c.Login, ClientID: c.ClientID, Publisher: c.Publisher, Credential: cred, Shared: shared,
	})
}

// shared are the options that the client of a source has in common with others: one budget for all sources of a tenant, in
// which a rate that is changed counts at once.
func (s *sources) shared(c *config.Source, domain string) rest.Shared {
	shared := rest.Shared{
		Budget:    s.budgets.Get(c.Tenant, domain, budget.Options{PerMinute: c.RequestsPerMinute}),
		Log:       s.n.log.With("source", c.Name),
		Transport: s.metrics.count(c.Name, rest.NewTransport()),
	}
	if s.adjust.Client != nil {
		s.adjust.Client(&shared)
	}
	return shared
}

// NewGraphClient makes the client that the settings of a source of Entra's logs describe.
func NewGraphClient(c *config.Source, shared rest.Shared) (*graph.Client, error) {
	cred, err := CredentialOf(c)
	if err != nil {
		return nil, err
	}
	return graph.New(graph.Options{Tenant: c.Tenant, Plan: c.Plan, API: c.API, Login: c.Login, ClientID: c.ClientID, Credential: cred, Shared: shared})
}

// NewGitHubClient makes the client that the settings of a source of GitHub's audit log, or of its controls, describe.
func NewGitHubClient(c *config.Source, shared rest.Shared) (*github.Client, error) {
	token, err := TokenOf(c)
	if err != nil {
		return nil, err
	}
	return github.New(github.Options{Account: c.Tenant, Enterprise: c.Account == "enterprise" || vendors[c.Type] == controls.GitHub, API: c.API, Token: token, Shared: shared})
}

// NewSlackClient makes the client that the settings of a source of Slack's audit log describe.
func NewSlackClient(c *config.Source, shared rest.Shared) (*slack.Client, error) {
	token, err := TokenOf(c)
	if err != nil {
		return nil, err
	}
	return slack.New(slack.Options{API: c.API, Token: token, Shared: shared})
}

// NewGoogleClient makes the client that the settings of a source of Google Workspace describe.
func NewGoogleClient(c *config.Source, shared rest.Shared) (*google.Client, error) {
	key, err := c.ServiceAccount.Reference()
	if err != nil {
		return nil, fmt.Errorf("service_account: %w", err)
	}
	return google.New(google.Options{Customer: c.Tenant, Admin: c.Admin, API: c.API, Login: c.Login, Key: key, Shared: shared})
}

// NewOktaClient makes the client that the settings of a source of an Okta organization, or of its controls, describe.
func NewOktaClient(c *config.Source, shared rest.Shared) (*okta.Client, error) {
	token, err := TokenOf(c)
	if err != nil {
		return nil, err
	}
	return okta.New(okta.Options{Org: c.Tenant, API: c.API, Token: token, Shared: shared})
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
