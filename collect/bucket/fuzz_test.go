// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/bucket"
)

const someDigest = `{"awsAccountId":"111122223333","digestStartTime":"2026-11-20T14:00:00Z","digestEndTime":"2026-11-20T15:00:00Z","digestS3Bucket":"b",
"digestS3Object":"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/20/111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20261120T150000Z.json.gz",
"digestPublicKeyFingerprint":"f","digestSignatureAlgorithm":"SHA256withRSA","previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestSignature":null,"logFiles":[]}`

// FuzzDigest: of whatever is taken for a digest, what is signed has the end and the place as they are written, and its hour
// is one that a digest may be of; nothing else is taken.
func FuzzDigest(f *testing.F) {
	f.Add([]byte(someDigest))
	f.Add([]byte(strings.Replace(someDigest, `"previousDigestS3Object":null`, `"previousDigestS3Object":"x"`, 1)))
	f.Add([]byte(strings.Replace(someDigest, "T15:00:00Z", "T15:00:00.5+01:00", 1)))
	f.Add([]byte(`{"logFiles":[{"hashValue":7}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		sum := sha256.Sum256(text)
		signed, err := bucket.ParseDigest(text, sum[:])
		if err != nil {
			return
		}
		var d struct {
			Start  time.Time `json:"digestStartTime"`
			EndRaw string    `json:"digestEndTime"`
			Bucket string    `json:"digestS3Bucket"`
			Object string    `json:"digestS3Object"`
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("it was taken, and is not JSON: %v", err)
		}
		end, err := time.Parse(time.RFC3339, d.EndRaw)
		if err != nil || !d.Start.Before(end) || end.Sub(d.Start) > 7*24*time.Hour {
			t.Errorf("it is from %v to %q", d.Start, d.EndRaw)
		}
		if !bytes.HasPrefix(signed, []byte(d.EndRaw+"\n"+d.Bucket+"/"+d.Object+"\n")) {
			t.Errorf("%q is signed", signed)
		}
	})
}

func TestNamesOfDigests(t *testing.T) {
	for key, want := range map[string]struct {
		chain string
		end   string
		late  bool
		ok    bool
	}{
		"AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/11/20/1_CloudTrail-Digest_eu-west-1_my_trail_us-east-1_20261120T150131Z.json.gz": {
			"1_CloudTrail-Digest_eu-west-1_my_trail_us-east-1", "2026-11-20T15:01:31Z", false, true,
		},
		"x/1_CloudTrail-Digest_eu-west-1_t_us-east-1_20261120T150131Z_backfill.json.gz": {"1_CloudTrail-Digest_eu-west-1_t_us-east-1", "2026-11-20T15:01:31Z", true, true},
		"x/1_CloudTrail-Digest_eu-west-1_t_us-east-1_20261320T150131Z.json.gz":          {},
		"x/readme.txt": {},
		"":             {},
	} {
		chain, end, late, ok := bucket.ChainOf(key)
		if ok != want.ok || chain != want.chain || late != want.late || ok && time.UnixMilli(end).UTC().Format(time.RFC3339) != want.end {
			t.Errorf("%s: %q %d %v %v", key, chain, end, late, ok)
		}
	}
}
