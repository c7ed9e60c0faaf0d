// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bufio"
	"encoding/json"
	"net/http"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

// controlRoutes are the endpoints that make the simulator do things, and say
// what the truth is. Other machines are refused unless the configuration
// allows them.
func (s *Server) controlRoutes(mux *http.ServeMux) {
	for route, handle := range map[string]http.HandlerFunc{
		"GET /sim/v1/status":    s.controlStatus,
		"GET /sim/v1/ledger":    s.controlLedger,
		"GET /sim/v1/clock":     s.controlClock,
		"POST /sim/v1/clock":    s.controlClock,
		"GET /sim/v1/faults":    s.controlFaults,
		"POST /sim/v1/faults":   s.controlFaults,
		"GET /sim/v1/requests":  s.controlRequests,
		"POST /sim/v1/requests": s.controlRequests,
		"POST /sim/v1/roles":    s.controlRoles,
		"GET /sim/v1/directory": s.controlDirectory,
	} {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			if !s.remoteControl && !loopback(r) {
				controlError(w, http.StatusForbidden, "the control endpoints answer this machine only")
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
			handle(w, r)
		})
	}
}

func controlError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

// Status is what a server says about itself. It holds no secret.
type Status struct {
	Tenant        string             `json:"tenant"`
	Domain        string             `json:"domain"`
	ClientID      string             `json:"client_id"`
	Roles         []string           `json:"roles"`
	Begin         time.Time          `json:"begin"`
	Start         time.Time          `json:"start"`
	Now           time.Time          `json:"now"`
	Subscriptions []subscriptionJSON `json:"subscriptions"`
	Faults        []ActiveFault      `json:"faults"`
}

func (s *Server) controlStatus(w http.ResponseWriter, _ *http.Request) {
	now := s.Now()
	s.catchUp(now)
	st := Status{
		Tenant: s.tenant, Domain: s.domain, ClientID: s.clientID, Begin: s.Begin(), Start: s.start, Now: now,
		Subscriptions: []subscriptionJSON{}, Faults: s.Faults(),
	}
	s.mu.Lock()
	st.Roles = append(st.Roles, s.roles...)
	s.mu.Unlock()
	s.subs.mu.Lock()
	for _, one := range company.Streams {
		if len(s.subs.list[one].spans) > 0 {
			st.Subscriptions = append(st.Subscriptions, s.subs.show(one, now))
		}
	}
	s.subs.mu.Unlock()
	writeJSON(w, http.StatusOK, st)
}

func (s *Server) controlLedger(w http.ResponseWriter, r *http.Request) {
	var times [3]time.Time
	for i, name := range []string{"from", "to", "visible_by"} {
		if text := r.URL.Query().Get(name); text != "" {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				controlError(w, http.StatusBadRequest, name+" is no time: want RFC 3339, for example 2026-03-02T09:00:00Z")
				return
			}
			times[i] = t
		}
	}
	only := r.URL.Query().Get("stream")
	w.Header().Set("Content-Type", "application/jsonl")
	out := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(out)
	for e := range s.Ledger(times[0], times[1], times[2]) {
		if only != "" && e.Stream != only {
			continue
		}
		if err := enc.Encode(e); err != nil {
			return // the client is gone
		}
	}
	_ = out.Flush()
}

func (s *Server) controlClock(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var in struct {
			Speed *float64 `json:"speed"`
			Jump  *string  `json:"jump"`
			Pause *bool    `json:"pause"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			controlError(w, http.StatusBadRequest, `want {"speed":60,"jump":"1h","pause":false}, each if it is to change`)
			return
		}
		var jump *time.Duration
		if in.Jump != nil {
			d, err := parseSpan(*in.Jump)
			if err != nil {
				controlError(w, http.StatusBadRequest, "the jump is no duration: want 90s, 1h or 5d")
				return
			}
			jump = &d
		}
		if err := s.clock.change(in.Speed, jump, in.Pause); err != nil {
			controlError(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"now": s.Now(), "speed": s.clock.Speed(), "paused": s.clock.Paused()})
}

// ActiveFault is a fault that is on.
type ActiveFault struct {
	Fault string    `json:"fault"` // as it was switched on
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
}

// Faults are those that are on, or will be.
func (s *Server) Faults() []ActiveFault {
	list := []ActiveFault{}
	now := s.Now()
	for _, r := range s.feed.faults.Load().rules {
		if r.on(now) || r.from.After(now) && !r.to.Equal(r.from) {
			list = append(list, ActiveFault{r.text, r.from, r.to})
		}
	}
	return list
}

func (s *Server) controlFaults(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var in struct {
			Add   string   `json:"add"`
			Clear []string `json:"clear"`
			All   bool     `json:"clear_all"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			controlError(w, http.StatusBadRequest, `want {"add":"late=0.02:11m","clear":["5xx"]} or {"clear_all":true}`)
			return
		}
		var err error
		if in.All || len(in.Clear) > 0 {
			err = s.ClearFaults(in.Clear...)
		}
		if err == nil && in.Add != "" {
			err = s.AddFaults(in.Add)
		}
		if err != nil {
			controlError(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	writeJSON(w, http.StatusOK, s.Faults())
}

// controlRequests says what was asked of the server; POST begins to count anew.
func (s *Server) controlRequests(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.ResetRequests()
	}
	writeJSON(w, http.StatusOK, s.Requests())
}

func (s *Server) controlRoles(w http.ResponseWriter, r *http.Request) {
	var roles []string
	if err := json.NewDecoder(r.Body).Decode(&roles); err != nil {
		controlError(w, http.StatusBadRequest, `want a list of roles: ["ActivityFeed.Read"]`)
		return
	}
	s.SetRoles(roles...)
	writeJSON(w, http.StatusOK, roles)
}

func (s *Server) controlDirectory(w http.ResponseWriter, _ *http.Request) {
	s.catchUp(s.Now())
	b, err := s.directory.Snapshot()
	if err != nil {
		controlError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(b) // a client that is gone needs no answer
}
