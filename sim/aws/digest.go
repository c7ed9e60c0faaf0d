// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// digest is a digest file (AWS CloudTrail user guide, "CloudTrail digest file structure").
type digest struct {
	Account       string    `json:"awsAccountId"`
	Start         string    `json:"digestStartTime"`
	End           string    `json:"digestEndTime"`
	Bucket        string    `json:"digestS3Bucket"`
	Object        string    `json:"digestS3Object"`
	Fingerprint   string    `json:"digestPublicKeyFingerprint"`
	Algorithm     string    `json:"digestSignatureAlgorithm"`
	Newest        *string   `json:"newestEventTime"`
	Oldest        *string   `json:"oldestEventTime"`
	PrevBucket    *string   `json:"previousDigestS3Bucket"`
	PrevObject    *string   `json:"previousDigestS3Object"`
	PrevHash      *string   `json:"previousDigestHashValue"`
	PrevAlgorithm *string   `json:"previousDigestHashAlgorithm"`
	PrevSignature *string   `json:"previousDigestSignature"`
	Files         []logFile `json:"logFiles"`
}

type logFile struct {
	Bucket    string `json:"s3Bucket"`
	Object    string `json:"s3Object"`
	Hash      string `json:"hashValue"`
	Algorithm string `json:"hashAlgorithm"`

	at time.Time
}

// digest puts the digest of an hour into the bucket. It is called with mu held, when all of the hour was delivered.
func (s *Server) digest(region string, from, to time.Time) {
	d := digest{
		Account: s.cfg.Account, Start: from.UTC().Format(time.RFC3339), End: to.UTC().Format(time.RFC3339), Bucket: s.cfg.Bucket,
		Object: fmt.Sprintf("%sAWSLogs/%s/CloudTrail-Digest/%s/%s/%s_CloudTrail-Digest_%s_%s_%s_%s.json.gz", s.cfg.Prefix, s.cfg.Account, region,
			to.Format("2006/01/02"), s.cfg.Account, region, trail, Home, to.Format("20060102T150405Z")),
		Fingerprint: s.Fingerprint(), Algorithm: "SHA256withRSA", Files: []logFile{},
	}
	var later []logFile
	for _, f := range s.files[region] {
		if f.at.After(to) {
			later = append(later, f)
		} else {
			d.Files = append(d.Files, f)
		}
	}
	s.files[region] = later
	if before := s.chain[region]; before != nil {
		algorithm := "SHA-256"
		d.PrevBucket, d.PrevObject, d.PrevHash, d.PrevAlgorithm, d.PrevSignature = &s.cfg.Bucket, &before.key, &before.hash, &algorithm, &before.signature
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // what we make ourselves
	}
	sum := sha256.Sum256(text)
	last := "null"
	if d.PrevSignature != nil {
		last = *d.PrevSignature
	}
	signature := s.Sign(fmt.Appendf(nil, "%s\n%s/%s\n%x\n%s", d.End, d.Bucket, d.Object, sum, last))
	s.put(d.Object, zip(text), to.Add(s.cfg.Digest), map[string]string{"signature": signature, "signature-algorithm": d.Algorithm})
	s.chain[region] = &signed{d.Object, hex.EncodeToString(sum[:]), signature}
}

// Sign signs a text as CloudTrail does, in hex.
func (s *Server) Sign(text []byte) string {
	sum := sha256.Sum256(text)
	bits, err := rsa.SignPKCS1v15(nil, s.signer, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key is ours
	}
	return hex.EncodeToString(bits)
}

// Resign gives a digest that was altered a signature that is good, as nobody but AWS could: it shows that a chain can be
// broken by one that is signed.
func (s *Server) Resign(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[key]
	if o == nil {
		return fmt.Errorf("there is no %s", key)
	}
	text, err := gunzip(o.content)
	if err != nil {
		return err
	}
	var d digest
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	last := "null"
	if d.PrevSignature != nil {
		last = *d.PrevSignature
	}
	o.meta = map[string]string{
		"signature-algorithm": "SHA256withRSA", "signature": s.Sign(fmt.Appendf(nil, "%s\n%s/%s\n%x\n%s", d.End, d.Bucket, d.Object, sha256.Sum256(text), last)),
	}
	return nil
}

func gunzip(content []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
