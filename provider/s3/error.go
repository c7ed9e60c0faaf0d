// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Archived is the code of an object that is in an archive class and has to be restored before it can be read.
const Archived = "InvalidObjectState"

// timeSkewed is the code of a request whose time is off by more than a quarter of an hour.
const timeSkewed = "RequestTimeTooSkewed"

// What a person does about a refusal.
const (
	newKey    = "put a credential that is good in the old one's place; it is read again at the next try, without a restart"
	setRegion = "set region to the bucket's own"
)

// meanings are the codes of S3, STS and CloudTrail that say more than their status ("Error responses", Amazon S3 API
// reference; "Common errors" of STS and CloudTrail).
var meanings = map[string]rest.Meaning{
	"NoSuchKey":                          {Class: rest.ClassMissing},
	"NotFound":                           {Class: rest.ClassMissing},
	"NoSuchBucket":                       {Class: rest.ClassAdmin, Action: "check bucket and region"},
	"AllAccessDisabled":                  {Class: rest.ClassAdmin, Action: "the bucket was closed by its owner or by AWS"},
	"AccountProblem":                     {Class: rest.ClassAdmin, Action: "look at the account's state in AWS"},
	"PreconditionFailed":                 {Class: rest.ClassExpired},
	Archived:                             {Class: rest.ClassRetry, Action: "restore the object from its archive class; it is tried again now and then"},
	"ExpiredToken":                       {Class: rest.ClassAuth, Action: newKey},
	"ExpiredTokenException":              {Class: rest.ClassAuth, Action: newKey},
	"InvalidToken":                       {Class: rest.ClassAuth, Action: newKey},
	"TokenRefreshRequired":               {Class: rest.ClassAuth, Action: newKey},
	"InvalidAccessKeyId":                 {Class: rest.ClassAuth, Action: newKey},
	"InvalidClientTokenId":               {Class: rest.ClassAuth, Action: newKey},
	"UnrecognizedClientException":        {Class: rest.ClassAuth, Action: newKey},
	"SignatureDoesNotMatch":              {Class: rest.ClassAuth, Action: newKey},
	timeSkewed:                           {Class: rest.ClassAuth, Action: "set this machine's clock by NTP"},
	"SlowDown":                           {Class: rest.ClassThrottled},
	"ServiceUnavailable":                 {Class: rest.ClassThrottled},
	"RequestLimitExceeded":               {Class: rest.ClassThrottled},
	"Throttling":                         {Class: rest.ClassThrottled},
	"ThrottlingException":                {Class: rest.ClassThrottled},
	"PermanentRedirect":                  {Class: rest.ClassAdmin, Action: setRegion},
	"AuthorizationHeaderMalformed":       {Class: rest.ClassAdmin, Action: setRegion},
	"IllegalLocationConstraintException": {Class: rest.ClassAdmin, Action: setRegion},
}

// permissions are what an operation needs.
var permissions = map[string]string{
	"list": "allow s3:ListBucket on the bucket",
	"get":  "allow s3:GetObject on the bucket's objects and, if they are encrypted with a KMS key, kms:Decrypt on that key",
	"keys": "allow cloudtrail:ListPublicKeys",
}

// fault makes a [*rest.Error] of what the SDK returned.
func (c *Client) fault(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e := (*rest.Error)(nil); errors.As(err, &e) {
		return e // ours, of the credential or of the transport
	}
	e := &rest.Error{API: "s3", Op: op}
	if op == "keys" {
		e.API = "cloudtrail"
	}
	if res := (*smithyhttp.ResponseError)(nil); errors.As(err, &res) && res.Response != nil {
		e.Status = res.HTTPStatusCode()
		e.RetryAfter = rest.RetryAfter(res.Response.Header)
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		e.Code, e.Message = rest.Word(api.ErrorCode()), rest.Line(api.ErrorMessage())
	}
	if e.Code == "" && e.Status < 300 { // the network, or what is not an answer of the store
		e.Message = rest.Line(cause(err).Error())
		return e
	}
	m, known := meanings[e.Code]
	switch {
	case known:
	case e.Status == http.StatusServiceUnavailable, e.Status == http.StatusTooManyRequests:
		m.Class = rest.ClassThrottled
	case e.Status == http.StatusForbidden, e.Code == "AccessDenied", e.Code == "AccessDeniedException":
		m = rest.Meaning{Class: rest.ClassAdmin, Action: permissions[op]}
	case e.Status == http.StatusUnauthorized:
		m = rest.Meaning{Class: rest.ClassAuth, Action: newKey}
	case e.Status >= 300 && e.Status < 400:
		m = rest.Meaning{Class: rest.ClassAdmin, Action: setRegion}
	case e.Status == http.StatusNotFound && op == "get":
		m.Class = rest.ClassMissing
	}
	e.Class, e.Action, e.Known = m.Class, m.Action, known
	if e.Message == "" {
		e.Message = http.StatusText(e.Status)
	}
	return e
}

// cause is the innermost error: those around it repeat the address and the names of the SDK's parts.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func hostile(op, message string) error {
	return &rest.Error{API: "s3", Op: op, Class: rest.ClassHostile, Message: message}
}
