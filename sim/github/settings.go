// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// streamsPerHour is how many requests for the settings of streaming are answered
// (https://github.blog/changelog/2024-07-15-audit-log-streaming-can-now-be-configured-via-githubs-rest-api-private-beta).
const streamsPerHour = 15

// Stream is a stream by which the enterprise has its audit log sent out, as the API shows it
// (https://docs.github.com/enterprise-cloud@latest/rest/enterprise-admin/audit-log#list-audit-log-stream-configurations-for-an-enterprise).
type Stream struct {
	ID       int64      `json:"id"`
	Type     string     `json:"stream_type"`
	Details  string     `json:"stream_details"`
	Enabled  bool       `json:"enabled"`
	Created  time.Time  `json:"created_at"`
	Updated  time.Time  `json:"updated_at"`
	PausedAt *time.Time `json:"paused_at"`
}

// settings are what owners have set, and the records of it.
type settings struct {
	mu      sync.Mutex
	streams []Stream
	last    int64 // id
	denied  bool
	hidden  []stretch // without addresses in records
	made    []row     // records, by their time
}

// stretch is some time; a zero end: it goes on.
type stretch struct{ from, to time.Time }

// AddStream is an owner, the person of that number, who has the log sent to somewhere. It returns the stream's id and the
// record of the act.
func (s *Server) AddStream(by int, kind, details string) (id int64, raw []byte) {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	s.set.last++
	made := Stream{ID: s.set.last, Type: kind, Details: details, Enabled: true, Created: now, Updated: now}
	s.set.streams = append(s.set.streams, made)
	return made.ID, s.make(by, now, "audit_log_streaming.create", "create", streamFields(&made))
}

// PauseStream pauses a stream, or resumes it; nil: there is none of that id.
func (s *Server) PauseStream(by int, id int64, pause bool) (raw []byte) {
	return s.change(by, id, func(o *Stream, now time.Time) {
		if o.Enabled, o.PausedAt = !pause, nil; pause {
			o.PausedAt = &now
		}
	})
}

// RedirectStream has a stream sent to somewhere else; nil: there is none of that id.
func (s *Server) RedirectStream(by int, id int64, details string) (raw []byte) {
	return s.change(by, id, func(o *Stream, _ time.Time) { o.Details = details })
}

func (s *Server) change(by int, id int64, set func(*Stream, time.Time)) []byte {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	i := slices.IndexFunc(s.set.streams, func(o Stream) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	set(&s.set.streams[i], now)
	s.set.streams[i].Updated = now
	return s.make(by, now, "audit_log_streaming.update", "modify", streamFields(&s.set.streams[i]))
}

// DeleteStream deletes a stream; nil: there is none of that id.
func (s *Server) DeleteStream(by int, id int64) (raw []byte) {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	i := slices.IndexFunc(s.set.streams, func(o Stream) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	gone := s.set.streams[i]
	s.set.streams = slices.Delete(s.set.streams, i, i+1)
	return s.make(by, s.cfg.Now().UTC().Truncate(time.Millisecond), "audit_log_streaming.destroy", "remove", streamFields(&gone))
}

// DiscloseAddresses switches the disclosure of addresses in the enterprise's records on or off. It counts for what happens
// from then on.
func (s *Server) DiscloseAddresses(by int, yes bool) (raw []byte) {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	action := "business.disable_source_ip_disclosure"
	if n := len(s.set.hidden); yes {
		action = "business.enable_source_ip_disclosure"
		if n > 0 && s.set.hidden[n-1].to.IsZero() {
			s.set.hidden[n-1].to = now
		}
	} else if n == 0 || !s.set.hidden[n-1].to.IsZero() {
		s.set.hidden = append(s.set.hidden, stretch{from: now})
	}
	return s.make(by, now, action, "modify", nil)
}

// RefuseStreams takes the right to see the settings of streaming from the token, or gives it back. What one may not see is
// not there.
func (s *Server) RefuseStreams(yes bool) {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	s.set.denied = yes
}

func streamFields(o *Stream) fields {
	return fields{"audit_log_stream_id": o.ID, "audit_log_stream_sink": o.Type, "audit_log_stream_sink_details": o.Details, "audit_log_stream_enabled": o.Enabled}
}

// make makes the record of what an owner has set, which is shown like all others. It belongs to no organization.
func (s *Server) make(by int, at time.Time, action, operation string, more fields) []byte {
	a := service.Act{At: at, ID: record.HashText("setting", action, fmt.Sprint(by, len(s.set.made)), at.String()), Who: by}
	p := s.cfg.Company.Person(by)
	f := fields{
		"_document_id": base64.RawURLEncoding.EncodeToString(a.ID[:]), "@timestamp": at.UnixMilli(), "created_at": at.UnixMilli(), "action": action,
		"operation_type": operation, "business": s.Enterprise(), "business_id": enterpriseID,
		"actor": s.Login(by), "actor_id": firstUserID + by, "external_identity_nameid": p.UPN, "user_agent": p.Devices[0].UserAgent,
	}
	if !s.hides(at) {
		f["actor_ip"] = p.Home.String()
	}
	for name, v := range more {
		f[name] = v
	}
	raw, err := json.Marshal(f)
	if err != nil {
		panic(err) // what we make ourselves
	}
	s.set.made = append(s.set.made, row{Act: a, log: Web, made: raw})
	return raw
}

// hides reports whether records of a time have no addresses. The lock is held.
func (s *Server) hides(at time.Time) bool {
	return slices.ContainsFunc(s.set.hidden, func(h stretch) bool { return !at.Before(h.from) && (h.to.IsZero() || at.Before(h.to)) })
}

// happened calls yield with what happens in a log in [from, to), in its order: what people and machines do, and what owners
// have set.
func (s *Server) happened(log string, from, to time.Time, yield func(row) bool) {
	var made []row
	if log == Web {
		s.set.mu.Lock()
		for _, m := range s.set.made {
			if !m.At.Before(from) && m.At.Before(to) {
				made = append(made, m)
			}
		}
		s.set.mu.Unlock()
	}
	slices.SortFunc(made, func(a, b row) int { return a.Order(b.At, b.ID) })
	more := true
	s.feed.Happened(logs[log], from, to, func(a *service.Act) bool {
		for len(made) > 0 && made[0].Order(a.At, a.ID) < 0 && more {
			more, made = yield(made[0]), made[1:]
		}
		more = more && yield(row{Act: *a, log: log})
		return more
	})
	for _, m := range made {
		if !more {
			return
		}
		more = yield(m)
	}
}

// showStreams answers with the enterprise's streams.
func (s *Server) showStreams(w http.ResponseWriter, r *http.Request) {
	p := s.admit(w, r, s.door, streamsPerHour)
	if p != service.Answer && p != service.Cut {
		return
	}
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	if s.set.denied {
		refuse(w, http.StatusNotFound, "Not Found", "/enterprise-admin/audit-log")
		return
	}
	service.Serve(w, p, http.StatusOK, append([]Stream{}, s.set.streams...))
}
