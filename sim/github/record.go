// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// The numbers of the accounts.
const (
	enterpriseID   = 20_481
	organizationID = 9_104_773
	firstUserID    = 60_000_000
	firstRepoID    = 400_000_000
)

// fields are the members of a record.
type fields map[string]any

// kind is a kind of act. Its weight is its share among all of its log.
type kind struct {
	weight    int
	action    string
	operation string // operation_type
	write     func(s *Server, a *service.Act, f fields)
}

// people, machines and git are what is done: on the web by people and by applications, and by Git clients.
var (
	people = []kind{
		{300, "pull_request.create", "create", pullRequest},
		{260, "pull_request.merge", "modify", pullRequest},
		{40, "pull_request.close", "modify", pullRequest},
		{280, "pull_request_review.submit", "create", pullRequest},
		{120, "pull_request_review_comment.create", "create", pullRequest},
		{90, "issue_comment.update", "modify", repository},
		{30, "repo.create", "create", visible},
		{4, "repo.destroy", "remove", visible},
		{6, "repo.access", "modify", func(s *Server, a *service.Act, f fields) {
			visible(s, a, f)
			f["previous_visibility"] = "internal"
		}},
		{10, "repo.archived", "modify", visible},
		{14, "repo.download_zip", "access", visible},
		{24, "repo.add_member", "create", func(s *Server, a *service.Act, f fields) {
			visible(s, a, f)
			s.user(f, a.Other())
			f["permission"] = []string{"pull", "push", "maintain", "admin"}[a.N(4)]
		}},
		{10, "repo.remove_member", "remove", func(s *Server, a *service.Act, f fields) {
			visible(s, a, f)
			s.user(f, a.Other())
		}},
		{20, "repo.create_actions_secret", "create", func(s *Server, a *service.Act, f fields) {
			repository(s, a, f)
			f["key"] = []string{"DEPLOY_KEY", "REGISTRY_TOKEN", "SIGNING_KEY"}[a.N(3)]
		}},
		{14, "org.invite_member", "create", func(s *Server, a *service.Act, f fields) { s.user(f, a.Other()) }},
		{14, "org.add_member", "create", func(s *Server, a *service.Act, f fields) {
			s.user(f, a.Other())
			f["permission"] = "read"
		}},
		{8, "org.remove_member", "remove", func(s *Server, a *service.Act, f fields) { s.user(f, a.Other()) }},
		{4, "org.update_member", "modify", func(s *Server, a *service.Act, f fields) {
			s.user(f, a.Other())
			f["old_permission"], f["permission"] = "read", "admin"
		}},
		{3, "org.update_default_repository_permission", "modify", func(_ *Server, _ *service.Act, f fields) {
			f["old_permission"], f["permission"] = "read", "none"
		}},
		{2, "org.enable_two_factor_requirement", "modify", func(*Server, *service.Act, fields) {}},
		{40, "org.sso_response", "authentication", func(_ *Server, _ *service.Act, f fields) { f["issuer"] = "https://sts.example/federation" }},
		{12, "team.create", "create", team},
		{30, "team.add_member", "create", func(s *Server, a *service.Act, f fields) {
			team(s, a, f)
			s.user(f, a.Other())
		}},
		{16, "team.remove_member", "remove", func(s *Server, a *service.Act, f fields) {
			team(s, a, f)
			s.user(f, a.Other())
		}},
		{16, "team.add_repository", "create", func(s *Server, a *service.Act, f fields) {
			team(s, a, f)
			repository(s, a, f)
		}},
		{12, "personal_access_token.request_created", "create", token},
		{12, "personal_access_token.access_granted", "create", token},
		{18, "org_credential_authorization.grant", "create", func(_ *Server, _ *service.Act, f fields) { f["credential_type"] = "PersonalAccessToken" }},
		{10, "oauth_authorization.create", "create", func(_ *Server, a *service.Act, f fields) {
			f["oauth_application_name"], f["oauth_application_id"] = []string{"Ticket Bridge", "Diagram Studio"}[a.N(2)], 5_000+a.N(2)
			f["scopes"] = []string{"read:org", "repo"}
		}},
		{4, "integration_installation.create", "create", func(_ *Server, a *service.Act, f fields) {
			f["integration"], f["name"], f["repository_selection"] = "Release Robot", "Release Robot", []string{"all", "selected"}[a.N(2)]
		}},
		{8, "hook.create", "create", func(s *Server, a *service.Act, f fields) {
			repository(s, a, f)
			f["hook_id"], f["events"], f["active"] = 300_000+a.N(5000), []string{"push", "pull_request"}, true
		}},
		{14, "public_key.create", "create", func(s *Server, a *service.Act, f fields) {
			f["title"], f["fingerprint"] = "laptop", "SHA256:"+base64.RawStdEncoding.EncodeToString(digest(uint64(a.N(1<<30)), 32))
			f["read_only"] = false
		}},
		{10, "protected_branch.create", "create", branch},
		{8, "protected_branch.policy_override", "modify", branch},
		{6, "repository_ruleset.update", "modify", func(s *Server, a *service.Act, f fields) {
			repository(s, a, f)
			f["ruleset_name"], f["ruleset_id"], f["ruleset_enforcement"] = "default branches", 40_000+a.N(900), "enabled"
		}},
		{6, "environment.create", "create", func(s *Server, a *service.Act, f fields) {
			repository(s, a, f)
			f["environment_name"] = []string{"staging", "production"}[a.N(2)]
		}},
		{10, "two_factor_authentication.enabled", "create", func(*Server, *service.Act, fields) {}},
		{4, "secret_scanning_push_protection.bypass", "modify", repository},
		{2, "org.audit_log_export", "access", func(*Server, *service.Act, fields) {}},
	}
	machines = []kind{
		{300, "workflows.created_workflow_run", "create", workflow},
		{300, "workflows.completed_workflow_run", "modify", workflow},
		{40, "pull_request.create", "create", pullRequest},
		{30, "pull_request.merge", "modify", pullRequest},
		{14, "repository_vulnerability_alert.create", "create", func(s *Server, a *service.Act, f fields) {
			repository(s, a, f)
			f["alert_number"], f["ghsa_id"] = 1+a.N(400), "GHSA-x7q2-8c4m-9f3v"
		}},
		{4, "secret_scanning_alert.create", "create", func(s *Server, a *service.Act, f fields) {
			repository(s, a, f)
			f["number"], f["secret_type"] = 1+a.N(90), "simulated_access_key"
		}},
	}
	git = []kind{
		{500, "git.fetch", "access", transport},
		{200, "git.clone", "access", transport},
		{300, "git.push", "modify", transport},
	}
)

// record makes the record of an act.
func (s *Server) record(log string, a *service.Act, id string) fields {
	list := people
	switch {
	case log == Git:
		list = git
	case log == API:
		list = api
	case a.Who < 0:
		list = machines
	}
	k := service.Pick(a, list, func(k *kind) int { return k.weight })
	ms := a.At.UnixMilli()
	f := fields{
		"_document_id": id, "@timestamp": ms, "created_at": ms, "action": k.action, "operation_type": k.operation,
		"org": s.Organization(), "org_id": organizationID, "business": s.Enterprise(), "business_id": enterpriseID,
	}
	s.actor(a, f)
	k.write(s, a, f)
	return f
}

// actor says who acts, from where and with what.
func (s *Server) actor(a *service.Act, f fields) {
	address := a.Address().String() // drawn in any case, so that all else is the same
	s.set.mu.Lock()
	if !s.hides(a.At) {
		f["actor_ip"] = address
	}
	s.set.mu.Unlock()
	if a.Who < 0 {
		n := a.N(3)
		f["actor"], f["actor_id"], f["actor_is_bot"] = []string{"dependabot[bot]", "github-actions[bot]", "release-robot[bot]"}[n], 49_000_000+n, true
		return
	}
	p := s.cfg.Company.Person(a.Who)
	f["actor"], f["actor_id"], f["external_identity_nameid"] = s.Login(a.Who), firstUserID+a.Who, p.UPN
	f["actor_location"] = fields{"country_code": p.Office.Country}
	f["user_agent"] = p.Devices[0].UserAgent
	if a.N(4) == 0 { // by the API, with one of the person's tokens
		key := digest(record.Mix(s.cfg.Seed, uint64(a.Who*2+a.N(2))), 32)
		f["user_agent"], f["programmatic_access_type"] = "octo-cli/2.61", "Fine-grained personal access token"
		f["hashed_token"], f["token_id"] = base64.StdEncoding.EncodeToString(key), 70_000_000+a.Who*2+int(key[0]&1)
	}
}

// Login is the name of a person's account.
func (s *Server) Login(n int) string {
	alias, _, _ := strings.Cut(s.cfg.Company.Person(n).UPN, "@")
	return strings.ReplaceAll(alias, ".", "-") + "_" + s.Organization()
}

func (s *Server) user(f fields, n int) { f["user"], f["user_id"] = s.Login(n), firstUserID+n }

var repositories = []string{"web-shop", "billing", "data-pipeline", "infrastructure", "mobile-app", "design-system", "search-service", "handbook"}

// repository sets the repository that an act is in. Each department has one of a name.
func repository(s *Server, a *service.Act, f fields) {
	n := a.N(4 * len(repositories))
	name := repositories[n%len(repositories)]
	if n >= len(repositories) {
		name = fmt.Sprintf("%s-%d", name, n/len(repositories)+1)
	}
	f["repo"], f["repo_id"] = s.Organization()+"/"+name, firstRepoID+n
	f["public_repo"] = n%9 == 0
}

func visible(s *Server, a *service.Act, f fields) {
	repository(s, a, f)
	f["visibility"] = []string{"private", "internal"}[a.N(2)]
}

func pullRequest(s *Server, a *service.Act, f fields) {
	repository(s, a, f)
	n := 1 + a.N(4000)
	f["pull_request_id"], f["pull_request_title"] = 1_500_000_000+n, []string{"Correct the rounding of prices", "Update the base image", "Retry the upload", "Describe the setup"}[a.N(4)]
	f["pull_request_url"] = fmt.Sprintf("https://github.com/%s/pull/%d", f["repo"], n)
}

func branch(s *Server, a *service.Act, f fields) {
	repository(s, a, f)
	f["branch"], f["name"] = "refs/heads/main", "main"
}

func team(s *Server, a *service.Act, f fields) {
	n := a.N(12)
	f["team"], f["team_id"] = s.Organization()+"/"+[]string{"platform", "payments", "mobile", "security", "release", "design"}[n%6], 8_000_000+n%6
}

func token(s *Server, a *service.Act, f fields) {
	s.user(f, a.Other())
	n := a.N(900)
	f["user_programmatic_access_name"], f["user_programmatic_access_id"] = "deploy "+fmt.Sprint(n%7), 2_000_000+n
	f["repository_selection"] = "subset"
}

func workflow(s *Server, a *service.Act, f fields) {
	repository(s, a, f)
	f["name"], f["workflow_id"], f["workflow_run_id"] = []string{"build", "release", "nightly"}[a.N(3)], 90_000+a.N(300), 7_000_000_000+a.N(1<<28)
	f["event"], f["head_branch"], f["head_sha"] = "push", "main", hex.EncodeToString(digest(uint64(a.N(1<<30)), 20))
	f["trigger_id"], f["run_number"] = nil, 1+a.N(9000)
}

// transport is what Git clients leave: no repository's number, and a way.
func transport(s *Server, a *service.Act, f fields) {
	repository(s, a, f)
	f["repository"], f["repository_public"] = f["repo"], f["public_repo"]
	delete(f, "public_repo")
	f["transport_protocol"], f["transport_protocol_name"], f["user_agent"] = 1, "http", "git/2.47.1"
	if a.N(2) == 0 {
		f["transport_protocol"], f["transport_protocol_name"] = 2, "ssh"
	}
	f["user"], f["user_id"] = "", 0
}

// digest is n bytes, at most 32, that follow from a number.
func digest(h uint64, n int) []byte {
	a, b := record.Hash(h, 1), record.Hash(h, 2)
	return append(a[:], b[:]...)[:n]
}
