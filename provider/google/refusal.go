// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"encoding/json"
	"net/http"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// explain reads the reason and the message of a refusal. Google's APIs have three words for one: errors[].reason, which the
// older of them had alone, and details[].reason and status (https://google.aip.dev/193). The first that is known counts,
// else the first that is there.
func explain(body []byte) (code, message string) {
	var answer struct{ Error json.RawMessage }
	var inner struct {
		Message, Status any
		Errors, Details []struct{ Reason any }
	}
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer.Error, &inner) != nil {
		return rest.Explain(body)
	}
	words := make([]string, 0, 4)
	for _, list := range [][]struct{ Reason any }{inner.Errors, inner.Details} {
		for _, e := range list {
			words = append(words, rest.Word(e.Reason))
		}
	}
	for _, w := range append(words, rest.Word(inner.Status)) {
		if _, known := codes[w]; known {
			return w, rest.Line(inner.Message)
		}
		if code == "" {
			code = w
		}
	}
	return code, rest.Line(inner.Message)
}

const (
	delegate = "in the Admin console, under Security, API controls, Domain-wide delegation, authorize the client id of the service account for the scope " + Scope
	role     = "give the administrator of the setting admin a role with the privilege Reports, check that tenant is the id of that administrator's own organization, and that its edition has this log; or leave the stream out of streams"
	reach    = "set webhook.url to a public https:// address whose certificate Google accepts, and verify its domain in the Search Console if Google still asks for that; or leave the webhook out"
	enable   = "enable the Admin SDK API in the Google Cloud project of the service account"
)

// codes are those that mean more than their status. Texts are never looked at.
var codes = map[string]rest.Meaning{
	"rateLimitExceeded":               {Class: rest.ClassThrottled},
	"userRateLimitExceeded":           {Class: rest.ClassThrottled},
	"quotaExceeded":                   {Class: rest.ClassThrottled},
	"dailyLimitExceeded":              {Class: rest.ClassThrottled},
	"RATE_LIMIT_EXCEEDED":             {Class: rest.ClassThrottled},
	"RESOURCE_EXHAUSTED":              {Class: rest.ClassThrottled},
	"accessNotConfigured":             {Class: rest.ClassAdmin, Action: enable},
	"SERVICE_DISABLED":                {Class: rest.ClassAdmin, Action: enable},
	"insufficientPermissions":         {Class: rest.ClassAdmin, Action: delegate},
	"ACCESS_TOKEN_SCOPE_INSUFFICIENT": {Class: rest.ClassAdmin, Action: delegate},
	"forbidden":                       {Class: rest.ClassAdmin, Action: role},
	"PERMISSION_DENIED":               {Class: rest.ClassAdmin, Action: role},
	"authError":                       {Class: rest.ClassAuth, Action: role}, // also of a good token whose user may not read
	"required":                        {Class: rest.ClassAuth, Action: role},
	"UNAUTHENTICATED":                 {Class: rest.ClassAuth, Action: role},
	"notFound":                        {Class: rest.ClassAdmin, Action: role},
	"NOT_FOUND":                       {Class: rest.ClassAdmin, Action: role},
	"invalid":                         {Class: rest.ClassWindow},
	"invalidParameter":                {Class: rest.ClassWindow},
	"badRequest":                      {Class: rest.ClassWindow},
	"INVALID_ARGUMENT":                {Class: rest.ClassWindow},
	"FAILED_PRECONDITION":             {Class: rest.ClassAdmin, Action: role},
	"push.webhookUrlNotHttps":         {Class: rest.ClassAdmin, Action: reach}, // these three: https://cloud.google.com/storage/docs/json_api/v1/status-codes
	"push.webhookUrlNoHostOrAddress":  {Class: rest.ClassAdmin, Action: reach},
	"push.webhookUrlUnauthorized":     {Class: rest.ClassAdmin, Action: reach},
	"backendError":                    {Class: rest.ClassRetry},
	"internalError":                   {Class: rest.ClassRetry},
	"UNAVAILABLE":                     {Class: rest.ClassRetry},
	"INTERNAL":                        {Class: rest.ClassRetry},
}

// tokenErrors are what the error words of the token endpoint mean here
// (https://developers.google.com/identity/protocols/oauth2/service-account#error-codes).
var tokenErrors = map[string]rest.Meaning{
	"unauthorized_client":   {Class: rest.ClassAdmin, Action: delegate},
	"access_denied":         {Class: rest.ClassAdmin, Action: delegate},
	"invalid_scope":         {Class: rest.ClassAdmin, Action: delegate},
	"admin_policy_enforced": {Class: rest.ClassAdmin, Action: "the organization's policy refuses the scope or the client: " + delegate},
	"org_internal":          {Class: rest.ClassAdmin, Action: "the client is of another organization's project: make the service account in a project of yours"},
	"invalid_client":        {Class: rest.ClassAuth, Action: "check service_account: the key's file may be of another account; a new one is used without a restart"},
	"deleted_client":        {Class: rest.ClassAuth, Action: "the service account is gone: make a new one, and " + delegate},
	"disabled_client":       {Class: rest.ClassAuth, Action: "enable the service account again, or find out who disabled it"},
	"invalid_grant":         {Class: rest.ClassAuth, Action: "check that admin is the address of a user who is there and not suspended, that the key of service_account was not deleted, and this machine's clock"},
}

// judge fills in class and action of an error that has its status, code and message.
func judge(e *rest.Error) {
	if !e.ByCode(codes) && e.Status == http.StatusUnauthorized {
		e.Action = role
	}
}
