// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// credentials returns what requests are signed with.
func (c *Client) credentials(ctx context.Context) (*aws.CredentialsCache, error) {
	o := &c.o
	options := []func(*config.LoadOptions) error{config.WithRegion(o.Region), config.WithLogger(logging.Nop{})}
	if o.KeyID != "" {
		options = append(options, config.WithCredentialsProvider(aws.NewCredentialsCache(aws.CredentialsProviderFunc(c.fixed))))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("s3: AWS's own configuration (AWS_… in the environment, ~/.aws) cannot be used: %s", rest.Line(err.Error()))
	}
	base := cfg.Credentials
	if o.Role != "" {
		base = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), o.Role, func(a *stscreds.AssumeRoleOptions) {
			a.RoleSessionName = "daybreak"
			if o.ExternalID != "" {
				a.ExternalID = &o.ExternalID
			}
		})
	}
	return aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		if cache, ok := base.(*aws.CredentialsCache); ok {
			cache.Invalidate() // ours is the one that remembers
		}
		got, err := base.Retrieve(ctx)
		if err != nil {
			return got, c.refused(ctx, err)
		}
		end := time.Time{}
		if got.CanExpire {
			end = got.Expires
		}
		c.expires.set(end)
		return got, nil
	})), nil
}

// fixed reads the access key.
func (c *Client) fixed(ctx context.Context) (aws.Credentials, error) {
	secret, err := c.o.Secret.Read(ctx)
	if err != nil && ctx.Err() == nil {
		err = &rest.Error{API: "s3", Op: rest.OpToken, Class: rest.ClassAuth, Message: rest.Line(err.Error()), Action: "correct secret_access_key; it is read again at the next try"}
	}
	if err != nil {
		return aws.Credentials{}, err
	}
	text := strings.TrimSpace(secret.Reveal())
	return aws.Credentials{AccessKeyID: c.o.KeyID, SecretAccessKey: text, Source: "daybreak"}, nil
}

// refused is why there is no credential.
func (c *Client) refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e := (*rest.Error)(nil); errors.As(err, &e) {
		return e
	}
	e := &rest.Error{API: "s3", Op: rest.OpToken, Class: rest.ClassAuth, Message: rest.Line(cause(err).Error()), Err: err}
	if e.Action = "check role_arn and external_id, and that the role trusts who asks for it"; c.o.Role == "" {
		e.Action = "give access_key_id and secret_access_key, or run where the AWS SDK finds a credential: its environment, web identity, or an instance's role"
	}
	return e
}

// signer signs with a key that it derives from the secret once a day. The SDK's own remembers it by the key's id, and would
// go on with a secret that was exchanged.
type signer struct {
	mu  sync.Mutex
	sdk *v4.Signer
}

// SignHTTP signs a request.
func (s *signer) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, at time.Time, options ...func(*v4.SignerOptions)) error {
	s.mu.Lock()
	if s.sdk == nil {
		s.sdk = v4.NewSigner()
	}
	sdk := s.sdk
	s.mu.Unlock()
	return sdk.SignHTTP(ctx, c, r, payload, service, region, at, options...)
}

func (s *signer) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sdk = nil
}

// expiry is a time that several may set and read.
type expiry struct {
	mu sync.Mutex
	at time.Time
}

func (e *expiry) set(at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at = at
}

func (e *expiry) get() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at
}
