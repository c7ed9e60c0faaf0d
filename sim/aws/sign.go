// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far the time of a request may be off ("RequestTimeTooSkewed", Amazon S3 API reference).
const maxSkew = 15 * time.Minute

// authenticate checks the signature of a request ("Authenticating Requests: Using the Authorization Header (AWS Signature
// Version 4)", Amazon S3 API reference).
func (s *Server) authenticate(r *http.Request, now time.Time) *refusal {
	fields := map[string]string{}
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for _, f := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(f), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if !ok || len(scope) != 5 {
		return &refusal{http.StatusForbidden, "AccessDenied", "The request is not signed."}
	}
	if scope[0] != s.cfg.KeyID {
		return &refusal{http.StatusForbidden, "InvalidAccessKeyId", "The access key does not exist."}
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", stamp)
	// By the simulated or by the real time: a client cannot know the former before its first answer.
	if err != nil || at.Sub(now).Abs() > maxSkew && time.Since(at).Abs() > maxSkew {
		return &refusal{http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."}
	}
	names := strings.Split(fields["SignedHeaders"], ";")
	headers := ""
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		headers += name + ":" + strings.Join(strings.Fields(value), " ") + "\n"
	}
	query := strings.Split(r.URL.RawQuery, "&")
	slices.Sort(query)
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" { // other services than S3 have it in the signature alone
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return &refusal{http.StatusBadRequest, "IncompleteBody", "The body could not be read."}
		}
		payload = fmt.Sprintf("%x", sha256.Sum256(body))
	}
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), strings.Join(query, "&"), headers, fields["SignedHeaders"], payload}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + s.secret)
	for _, part := range scope[1:] {
		key = mac(key, part)
	}
	want := mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), hex.EncodeToString(sum[:])}, "\n"))
	if hex.EncodeToString(want) != fields["Signature"] {
		return &refusal{http.StatusForbidden, "SignatureDoesNotMatch", "The signature is not the one that the secret gives."}
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
