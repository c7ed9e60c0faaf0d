// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/act"
	objects "github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

// bucketed collects the objects of a bucket.
type bucketed struct {
	*objects.Collector
	client *s3.Client
}

// Provider returns what is known of the store.
func (b *bucketed) Provider() ProviderStatus {
	return ProviderStatus{Skew: b.client.Skew(), Heard: b.client.Heard(), TokenExpires: b.client.Expires(), Budget: b.client.Budget().Status()}
}

// bucket makes the collector of a source of CloudTrail's logs, or of any bucket.
func (s *sources) bucket(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	b := s.budgets.Get(c.Tenant, s3.Domain, budget.Options{PerMinute: c.RequestsPerMinute})
	client, err := NewS3Client(s.ctx, &c, b, func(o *s3.Options) {
		o.Log = s.n.log.With("source", c.Name)
		o.Transport = s.metrics.count(c.Name, rest.NewTransport())
	})
	if err != nil {
		return nil, err
	}
	col, err := s.objects(&c, acts, c.Bucket, client)
	if err != nil {
		return nil, err
	}
	return &bucketed{col, client}, nil
}

// objects makes the collector of what a bucket, or what reads as one, holds.
func (s *sources) objects(c *config.Source, acts *act.Writer, name string, from objects.Upstream) (*objects.Collector, error) {
	return objects.New(objects.Options{
		Name: c.Name, Tenant: c.Tenant, Bucket: name, Feeds: BucketFeeds(c), Upstream: from, Journal: s.n.journal, DB: s.n.db, Acts: acts,
		Identify: IdentifyObjects(c.Format, s.metrics.records.WithLabelValues(c.Name)), Pace: s.n.pace,
		Since: time.Duration(c.SinceDays) * 24 * time.Hour, Poll: c.Poll.Std(), Sweep: c.Sweep.Std(), Log: s.n.log,
	})
}

// NewS3Client makes the client that the settings of a source of a bucket describe. adjust may be nil.
func NewS3Client(ctx context.Context, c *config.Source, b *budget.Budget, adjust func(*s3.Options)) (*s3.Client, error) {
	o := s3.Options{
		Bucket: c.Bucket, Region: c.Region, Endpoint: c.API, TrailAPI: c.TrailAPI, PathStyle: c.PathStyle, KeyID: c.AccessKeyID, Role: c.RoleARN, ExternalID: c.ExternalID,
		Budget: b,
	}
	if c.AccessKeyID != "" {
		var err error
		if o.Secret, err = c.SecretKey.Reference(); err != nil {
			return nil, err
		}
	}
	if adjust != nil {
		adjust(&o)
	}
	return s3.New(ctx, o)
}

// digests is the stream of CloudTrail's digests.
const digests = "CloudTrail-Digest"

// BucketFeeds are the parts of a bucket that a source collects. CloudTrail's are folders below AWSLogs/ACCOUNT/ or, of an
// organization trail, below the accounts in AWSLogs/ORGANIZATION/ (AWS CloudTrail user guide, "Finding your CloudTrail log
// files").
func BucketFeeds(c *config.Source) (list []objects.Feed) {
	for _, name := range c.Streams {
		f := objects.Feed{Stream: name, Prefixes: c.Prefixes}
		switch {
		case c.Type == "cloudtrail":
			f.Prefixes = []string{c.Prefix + "AWSLogs/" + c.Tenant + "/"}
			f.Dated, f.Organization, f.Digest = true, strings.HasPrefix(c.Tenant, "o-"), name == digests
		case len(c.Prefixes) == 0:
			f.Prefixes = []string{""}
		}
		list = append(list, f)
	}
	return list
}

// IdentifyObjects returns what tells the records of a bucket apart, and counts them; count may be nil. format is a family, or
// auto. Digests are JSON of no family, whatever they look like.
func IdentifyObjects(format string, count prometheus.Counter) func(stream string) objects.Identify {
	return func(stream string) objects.Identify {
		id := NewIdentifier(format)
		if stream == digests {
			id = NewIdentifier(string(anyJSON))
		}
		return func(raw []byte) (event.Family, []byte, int64, bool) {
			if count != nil {
				count.Inc()
			}
			source, root, _, parsed := id.Source(raw)
			if !parsed {
				return "", nil, 0, false
			}
			if source == nil { // it fits two: it is kept as what it is in any case
				return anyJSON, nil, 0, true
			}
			known := source.Identify(root)
			return source.Family, known.ID, known.Time, true
		}
	}
}
