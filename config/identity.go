// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strconv"
	"strings"
)

// Identity says which accounts are one person's, beyond what records show.
type Identity struct {
	List          string   `toml:"list" doc:"CSV file with the organization's people: a line of column names, of which \"mail\" must be there; \"accounts\" holds further addresses and accounts, \"name\" is for people, all others are what groups are made of. It is read again with the configuration."`
	Links         []string `toml:"links" doc:"Pairs that are one person's: \"ann@contoso.example github:ann-lee\". An account is entra:, okta:, slack:, github:, google: or aws: and the vendor's id, or a login name at GitHub."`
	Deny          []string `toml:"deny" doc:"Pairs that are not, whatever records show."`
	Organizations []string `toml:"organizations" doc:"Tenants that are one organization, with blanks between them; one text each. People are joined within an organization only. Tenants that stand nowhere are one together. The list, links and deny speak of the first."`
}

func (c *Config) checkIdentity() error {
	for key, list := range map[string][]string{"links": c.Identity.Links, "deny": c.Identity.Deny} {
		for i, pair := range list {
			if len(strings.Fields(pair)) != 2 {
				return problemf("identity."+key+"."+strconv.Itoa(i), "identity.%s holds %.80q: want two accounts or addresses with a blank between them", key, pair)
			}
		}
	}
	var all []string
	for i, text := range c.Identity.Organizations {
		for _, tenant := range strings.Fields(text) {
			if slices.Contains(all, tenant) {
				return problemf("identity.organizations."+strconv.Itoa(i), "identity.organizations names the tenant %.80s twice", tenant)
			}
			all = append(all, tenant)
		}
	}
	return nil
}
