// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"
	"slices"
	"strings"
)

// What follows says what is wrong with the id of a tenant; nothing if it is good.

func directory(id string) string {
	switch {
	case id == "":
		return "tenant is missing: give the directory (tenant) id, a GUID"
	case !guid(id):
		return "tenant is not a GUID: give the directory (tenant) id, not a domain"
	}
	return ""
}

func account(id string) string {
	switch {
	case id == "":
		return "tenant is missing: give the name of the organization or enterprise, as it stands in its address"
	case !slug.MatchString(id):
		return "tenant is no name of an account: give what stands behind github.com/ or github.com/enterprises/ in the address, letters, digits and -"
	}
	return ""
}

func organization(id string) string {
	switch {
	case id == "":
		return "tenant is missing: give the id of the Slack organization, which begins with E"
	case !slackOrganization.MatchString(id):
		return "tenant is no id of a Slack organization: give the one that begins with E, not a workspace's, which begins with T"
	}
	return ""
}

func oktaHost(id string) string {
	first, _, _ := strings.Cut(id, ".")
	switch {
	case id == "":
		return `tenant is missing: give the host name of the organization, such as "contoso.okta.com"`
	case !hostName(id):
		return `tenant is not a host name: give that of the organization alone, such as "contoso.okta.com"`
	case strings.HasSuffix(first, "-admin"):
		return "tenant is the host of the admin console: give the one without -admin"
	}
	return ""
}

func workspace(id string) string {
	switch {
	case id == "":
		return "tenant is missing: give the customer id, which begins with C and stands in the Admin console under Account settings"
	case id == "my_customer":
		return "tenant is the API's word for whoever asks: give the customer id, which begins with C and stands in the Admin console under Account settings"
	case !workspaceCustomer.MatchString(id):
		return "tenant is no customer id of Google Workspace: give the one that begins with C, from the Admin console under Account settings, not a domain"
	}
	return ""
}

// asWritten is the form of ids of which capitals count.
func asWritten(id string) string { return id }

func anyName(id string) string {
	if id == "" || len(id) > 100 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "tenant is missing, or has blanks: give a name for whose records these are"
	}
	return ""
}

// hostName reports whether text, in lower case, is a DNS name of two labels or more.
func hostName(text string) bool {
	labels := strings.Split(text, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(text) <= 253 && len(labels) > 1 && strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

var (
	slug              = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,98}[a-z0-9])?$`)
	workspaceCustomer = regexp.MustCompile(`^C[A-Za-z0-9]{4,32}$`)
	mailAddress       = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	topic             = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)
	slackOrganization = regexp.MustCompile(`^E[A-Z0-9]{6,20}$`)
)

func (k *kind) has(key string) bool { return slices.Contains(k.keys, key) }

// foreign finds a setting that sources of the type do not have.
func (s *Source) foreign(k *kind) (key string) {
	flag := func(yes bool) Secret {
		if yes {
			return "true"
		}
		return ""
	}
	for _, set := range []proof{
		{"plan", Secret(s.Plan)},
		{"account", Secret(s.Account)},
		{"client_id", Secret(s.ClientID)},
		{"addresses", flag(len(s.Addresses) > 0)},
		{"publisher", Secret(s.Publisher)},
		{"admin", Secret(s.Admin)},
		{"login", Secret(s.Login)},
		{"bucket", Secret(s.Bucket)},
		{"region", Secret(s.Region)},
		{"prefix", Secret(s.Prefix)},
		{"prefixes", flag(len(s.Prefixes) > 0)},
		{"format", Secret(s.Format)},
		{"since_days", flag(s.SinceDays != 0)},
		{"path_style", flag(s.PathStyle)},
		{"access_key_id", Secret(s.AccessKeyID)},
		{"role_arn", Secret(s.RoleARN)},
		{"external_id", Secret(s.ExternalID)},
		{"trail_api", Secret(s.TrailAPI)},
		{"api", Secret(s.API)},
		{"namespace", Secret(s.Namespace)},
		{"brokers", Secret(strings.Join(s.Brokers, ","))},
		{"sasl", Secret(s.SASL)},
		{"username", Secret(s.Username)},
		{"ca", Secret(s.CA)},
		{"folder", Secret(s.Folder)},
		{"quiet", flag(s.Quiet != 0)},
		{"mode", Secret(s.Mode)},
		{"every", flag(s.Every != 0)},
		{"group", Secret(s.Group)},
		{"drive", Secret(s.Drive)},
		{"mailbox", Secret(s.Mailbox)},
	} {
		if set.ref != "" && !k.has(set.key) {
			return set.key
		}
	}
	for _, set := range s.credentials() {
		if set.ref != "" && !k.has(set.key) {
			return set.key
		}
	}
	return ""
}

// guid reports whether text is a GUID in lower case, and not all zeros.
func guid(text string) bool {
	if len(text) != 36 || strings.Trim(text, "0-") == "" {
		return false
	}
	for i, r := range text {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}
