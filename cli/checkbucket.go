// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/folder"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

// tryBucket asks the store for everything that the collector needs: a page of each stream, an object of it, and of
// CloudTrail a public key.
func (v *verdict) tryBucket(ctx context.Context, c *config.Source) {
	if err := node.CheckSource(c.Format); err != nil {
		v.add("format", failed, "format: %v", err)
		return
	}
	client, err := node.NewS3Client(ctx, c, nil, func(o *s3.Options) { o.Log = slog.New(slog.DiscardHandler) })
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	var empty []string
	read, digests := 0, false
	for _, f := range node.BucketFeeds(c) {
		o, err := anyObject(ctx, client, &f)
		if err == nil && o != nil {
			err = open(ctx, client, o.Key)
		}
		switch {
		case unauthorized(err):
			v.add("credential", failed, "the credential does not work: %s", advice(ctx, err, "the store"))
			return
		case err != nil:
			v.add("permissions", failed, "%s cannot be collected: %s", f.Stream, advice(ctx, err, "the store"))
			continue
		case o == nil:
			empty = append(empty, f.Stream)
		}
		read++
		digests = digests || f.Digest
	}
	v.add("streams", good, "%d of %d streams can be read", read, len(c.Streams))
	if len(empty) > 0 {
		v.add("streams", warning, "the bucket holds nothing of %s: check prefix and tenant, that the trail logs and, of digests, that log file validation is on", strings.Join(empty, ", "))
	}
	if digests {
		if _, err := client.PublicKeys(ctx, budget.Head, c.Region, time.Now().Add(-time.Hour), time.Now()); err != nil {
			v.add("permissions", failed, "digests cannot be verified: %s", advice(ctx, err, "CloudTrail"))
		} else {
			v.add("keys", good, "public keys can be read")
		}
	}
	v.trySkew(client.Skew())
}

// tryFiles lists the folder and begins to read a file of it.
func (v *verdict) tryFiles(ctx context.Context, c *config.Source) {
	if err := node.CheckSource(c.Format); err != nil {
		v.add("format", failed, "format: %v", err)
		return
	}
	client, err := folder.New(folder.Options{Path: c.Folder, Quiet: c.Quiet.Std()})
	if err != nil {
		v.add("client", failed, "%v", err)
		return
	}
	for _, f := range node.BucketFeeds(c) {
		o, err := anyObject(ctx, client, &f)
		if err == nil && o != nil {
			err = open(ctx, client, o.Key)
		}
		switch {
		case err != nil:
			v.add("permissions", failed, "the folder cannot be collected: %s", rest.Sentence(err))
		case o == nil:
			v.add("streams", warning, "the folder can be read, and holds no file yet that is to be collected")
		default:
			v.add("streams", good, "the folder can be read")
		}
	}
}

// unauthorized reports whether an error is that of the credential.
func unauthorized(err error) bool {
	e := (*rest.Error)(nil)
	return errors.As(err, &e) && e.Class == rest.ClassAuth
}

// anyObject finds an object of a feed; nil if there is none.
func anyObject(ctx context.Context, client bucket.Upstream, f *bucket.Feed) (*s3.Object, error) {
	for _, prefix := range f.Prefixes {
		prefixes := []string{prefix}
		if f.Dated {
			prefixes[0] += f.Stream + "/"
		}
		if f.Organization {
			page, err := client.List(ctx, budget.Head, s3.Query{Prefix: prefix, Delimiter: "/"})
			if err != nil {
				return nil, err
			}
			prefixes = nil
			for _, account := range page.Prefixes[:min(len(page.Prefixes), 5)] {
				prefixes = append(prefixes, account+f.Stream+"/")
			}
		}
		for _, p := range prefixes {
			page, err := client.List(ctx, budget.Head, s3.Query{Prefix: p})
			if err != nil {
				return nil, err
			}
			for i := range page.Objects {
				if page.Objects[i].Size > 0 {
					return &page.Objects[i], nil
				}
			}
		}
	}
	return nil, nil
}

// open begins to read an object. One in an archive may be read as far as permissions go.
func open(ctx context.Context, client bucket.Upstream, key string) error {
	body, err := client.Get(ctx, budget.Head, key, "")
	if e := (*rest.Error)(nil); errors.As(err, &e) && e.Code == s3.Archived {
		return nil
	}
	if err != nil {
		return err
	}
	return body.Close()
}
