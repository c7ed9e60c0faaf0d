// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Handler answers S3, with the bucket in the path, and CloudTrail.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// refusal is an answer of S3 that says no.
type refusal struct {
	status        int
	code, message string
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	op := "get"
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/" && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListPublicKeys"):
		op = "keys"
	case r.Method == http.MethodGet && key == "":
		op = "list"
	}
	now := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	s.serial++
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("X-Amz-Request-Id", record.HashText("request", strconv.FormatUint(s.serial, 10)).String())
	if no := s.admit(r, op, now); no != nil {
		s.refuse(w, op, *no)
		return
	}
	switch {
	case op == "keys":
		s.listKeys(w)
	case r.Method != http.MethodGet:
		s.refuse(w, op, refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "The method is not allowed."})
	case bucket != s.cfg.Bucket:
		s.refuse(w, op, refusal{http.StatusNotFound, "NoSuchBucket", "There is no such bucket."})
	case op == "list":
		s.list(w, r.URL.Query())
	default:
		s.get(w, r, key)
	}
}

// admit says why a request is refused. It is called with mu held, as all below.
func (s *Server) admit(r *http.Request, op string, now time.Time) *refusal {
	no := s.authenticate(r, now)
	switch {
	case s.busy > 0 || s.hit(1, s.cfg.Throttle):
		s.busy = max(0, s.busy-1)
		return &refusal{http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."}
	case no != nil:
		return no
	case s.denied[op]:
		return &refusal{http.StatusForbidden, "AccessDenied", "Access denied."}
	case s.hit(2, s.cfg.Fail):
		return &refusal{http.StatusInternalServerError, "InternalError", "We had an internal error. Please try again."}
	}
	return nil
}

func (s *Server) hit(kind uint64, part float64) bool { return share(record.Mix(s.serial, kind), part) }

func (s *Server) refuse(w http.ResponseWriter, op string, no refusal) {
	s.count(op, no.status)
	if op == "keys" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(no.status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": no.code, "message": no.message})
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(no.status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, no.code, no.message)
}

func (s *Server) count(op string, status int) { s.answers[op+" "+strconv.Itoa(status)]++ }

func (s *Server) send(w http.ResponseWriter, op, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	s.count(op, http.StatusOK)
	if len(body) > 1 && s.hit(3, s.cfg.Cut) {
		body = body[:len(body)/2] // the connection ends where more was announced
	}
	_, _ = w.Write(body) // the client is gone, or not
}

// listing is the answer of ListObjectsV2 ("ListObjectsV2", Amazon S3 API reference).
type listing struct {
	XMLName   xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name      string
	Prefix    string
	Delimiter string `xml:",omitempty"`
	MaxKeys   int
	KeyCount  int
	Encoding  string `xml:"EncodingType,omitempty"`
	Truncated bool   `xml:"IsTruncated"`
	Next      string `xml:"NextContinuationToken,omitempty"`
	Contents  []entry
	Common    []common `xml:"CommonPrefixes"`
}

type entry struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
	StorageClass string
}

type common struct{ Prefix string }

func (s *Server) list(w http.ResponseWriter, q url.Values) {
	s.sort()
	if q.Get("list-type") != "2" {
		s.refuse(w, "list", refusal{http.StatusNotImplemented, "NotImplemented", "Only ListObjectsV2 is there."})
		return
	}
	prefix, delimiter, after := q.Get("prefix"), q.Get("delimiter"), q.Get("start-after")
	if token := q.Get("continuation-token"); token != "" {
		text, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			s.refuse(w, "list", refusal{http.StatusBadRequest, "InvalidArgument", "The continuation token is not valid."})
			return
		}
		after = string(text)
	}
	encode := func(key string) string { return key }
	out := listing{Name: s.cfg.Bucket, MaxKeys: s.cfg.PageSize}
	if q.Get("encoding-type") == "url" {
		encode, out.Encoding = url.QueryEscape, "url"
	}
	out.Prefix, out.Delimiter = encode(prefix), encode(delimiter)
	i, _ := slices.BinarySearch(s.keys, max(prefix, after))
	for ; i < len(s.keys) && strings.HasPrefix(s.keys[i], prefix); i++ {
		key := s.keys[i]
		if key <= after || delimiter != "" && strings.HasSuffix(after, delimiter) && strings.HasPrefix(key, after) && after != prefix {
			continue
		}
		if out.KeyCount == s.cfg.PageSize {
			out.Truncated, out.Next = true, base64.StdEncoding.EncodeToString([]byte(after))
			break
		}
		out.KeyCount++
		if rest := key[len(prefix):]; delimiter != "" && strings.Contains(rest, delimiter) {
			folder, _, _ := strings.Cut(rest, delimiter)
			after = prefix + folder + delimiter
			out.Common = append(out.Common, common{encode(after)})
			continue
		}
		o := s.objects[key]
		class := "STANDARD"
		if o.archived {
			class = "GLACIER"
		}
		after = key
		out.Contents = append(out.Contents, entry{encode(key), o.modified.Format("2006-01-02T15:04:05.000Z"), `"` + o.etag + `"`, len(o.content), class})
	}
	body, err := xml.Marshal(out)
	if err != nil {
		panic(err) // what we make ourselves
	}
	s.send(w, "list", "application/xml", append([]byte(xml.Header), body...))
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, key string) {
	o := s.objects[key]
	switch match := r.Header.Get("If-Match"); {
	case o == nil:
		s.refuse(w, "get", refusal{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."})
	case match != "" && match != `"`+o.etag+`"`:
		s.refuse(w, "get", refusal{http.StatusPreconditionFailed, "PreconditionFailed", "The object has another ETag."})
	case o.archived:
		s.refuse(w, "get", refusal{http.StatusForbidden, "InvalidObjectState", "The object's storage class does not allow this."})
	default:
		h := w.Header()
		h.Set("ETag", `"`+o.etag+`"`)
		h.Set("Last-Modified", o.modified.Format(http.TimeFormat))
		for name, value := range o.meta {
			h.Set("X-Amz-Meta-"+name, value)
		}
		s.send(w, "get", "application/x-gzip", o.content)
	}
}

// listKeys answers ListPublicKeys ("ListPublicKeys", AWS CloudTrail API reference).
func (s *Server) listKeys(w http.ResponseWriter) {
	from := s.cfg.Begin
	if from.IsZero() {
		from = s.cfg.Now().AddDate(-1, 0, 0)
	}
	body, err := json.Marshal(map[string]any{"PublicKeyList": []any{map[string]any{
		"Fingerprint": s.Fingerprint(), "Value": s.der(), "ValidityStartTime": from.AddDate(0, 0, -30).Unix(), "ValidityEndTime": from.AddDate(5, 0, 0).Unix(),
	}}})
	if err != nil {
		panic(err) // what we make ourselves
	}
	s.send(w, "keys", "application/x-amz-json-1.1", body)
}
