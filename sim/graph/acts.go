// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// What the application of canaries does by this API, each with its record in the unified audit log: a group's description
// changed, a file put and deleted, a mail sent to its own mailbox and deleted. Other groups, libraries and mailboxes are
// refused or not there, and so is everybody else.

// message is a mail in the mailbox. It arrives a while after it was sent.
type message struct {
	id, subject, from string
	sent              time.Time
	deleted           bool
}

const delivery = 30 * time.Second

// Left is what canaries have left in the tenant: files by their names, mails by their subjects.
func (s *Server) Left() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = slices.Clone(s.files)
	for _, m := range s.mail {
		if !m.deleted {
			list = append(list, m.subject)
		}
	}
	return list
}

// acting are the endpoints.
func (s *Server) acting(mux *http.ServeMux) {
	for route, do := range map[string]func(by directory.By, w http.ResponseWriter, r *http.Request) error{
		"PATCH /v1.0/groups/{group}":                                    s.describeGroup,
		"PUT /v1.0/drives/{drive}/{root}/{name}/content":                s.putFile,
		"DELETE /v1.0/drives/{drive}/{root}/{name}":                     s.deleteFile,
		"POST /v1.0/users/{mailbox}/sendMail":                           s.sendMail,
		"GET /v1.0/users/{mailbox}/messages":                            s.findMail,
		"POST /v1.0/users/{mailbox}/messages/{message}/permanentDelete": s.deleteMail,
	} {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			now := s.cfg.Tenant.Now()
			w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
			w.Header().Set("request-id", record.Hash(uint64(now.UnixNano()), 2).String())
			if _, ok := s.cfg.Tenant.Granted(r); !ok {
				refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty, has expired, or is not of this tenant.")
				return
			}
			by, ok := s.cfg.Tenant.CanaryBy(r)
			if !ok {
				refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
			switch err := do(by, w, r); {
			case errors.Is(err, directory.ErrDenied):
				refuse(w, http.StatusForbidden, "accessDenied", err.Error())
			case errors.Is(err, directory.ErrNotFound):
				refuse(w, http.StatusNotFound, "itemNotFound", "The resource could not be found.")
			case err != nil:
				refuse(w, http.StatusBadRequest, "invalidRequest", err.Error())
			}
		})
	}
}

// act does something that is recorded, or is not, as the configuration says.
func (s *Server) act(do func(d *directory.Directory) ([]directory.Record, error)) error {
	return s.cfg.Tenant.Act(func(d *directory.Directory) ([]directory.Record, error) {
		records, err := do(d)
		return slices.DeleteFunc(records, func(r directory.Record) bool { return s.cfg.Unrecorded != nil && s.cfg.Unrecorded(r) }), err
	})
}

func (s *Server) describeGroup(by directory.By, w http.ResponseWriter, r *http.Request) error {
	var body struct{ Description *string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Description == nil {
		return errors.New("only a description can be changed here")
	}
	group, err := record.ParseGUID(r.PathValue("group"))
	if err != nil {
		return directory.ErrNotFound
	}
	err = s.act(func(d *directory.Directory) ([]directory.Record, error) {
		return d.DescribeGroup(by, group, *body.Description)
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (s *Server) putFile(by directory.By, w http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(r.PathValue("name"), ":")
	if !ok || r.PathValue("root") != "root:" {
		return directory.ErrNotFound
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	err = s.act(func(d *directory.Directory) ([]directory.Record, error) {
		return d.UploadFile(by, r.PathValue("drive"), name, len(text))
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.files = append(s.files, name)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal")
	w.WriteHeader(http.StatusCreated)
	return json.NewEncoder(w).Encode(map[string]any{"id": "01" + strings.ToUpper(record.HashText(name).String()[:8]), "name": name, "size": len(text)})
}

func (s *Server) deleteFile(by directory.By, w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	s.mu.Lock()
	i := slices.Index(s.files, name)
	if i >= 0 {
		s.files = slices.Delete(s.files, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 || r.PathValue("root") != "root:" {
		return directory.ErrNotFound
	}
	err := s.act(func(d *directory.Directory) ([]directory.Record, error) {
		return d.RecycleFile(by, r.PathValue("drive"), name)
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// account is whose mailbox a request is for.
func (s *Server) account(r *http.Request) (directory.User, error) {
	u, ok := s.cfg.Tenant.Directory().FindUser(r.PathValue("mailbox"))
	if !ok {
		return u, directory.ErrNotFound
	}
	if _, _, its := s.cfg.Tenant.Directory().CanaryTargets(); u.UPN != its {
		return u, directory.ErrDenied
	}
	return u, nil
}

func (s *Server) sendMail(by directory.By, w http.ResponseWriter, r *http.Request) error {
	u, err := s.account(r)
	if err != nil {
		return err
	}
	var body struct {
		Message struct {
			Subject      string
			ToRecipients []struct{ EmailAddress struct{ Address string } }
		}
		SaveToSentItems *bool
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err
	}
	to := body.Message.ToRecipients
	if len(to) != 1 || !strings.EqualFold(to[0].EmailAddress.Address, u.UPN) || body.SaveToSentItems == nil || *body.SaveToSentItems {
		return errors.New("here a mail can only be sent to oneself, and not be kept among those that were sent")
	}
	err = s.act(func(d *directory.Directory) ([]directory.Record, error) {
		return d.SendMail(by, directory.Message{Mailbox: u.ID, Subject: body.Message.Subject})
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.mail = append(s.mail, message{id: token64(record.HashText(body.Message.Subject)) + "=", subject: body.Message.Subject, from: u.UPN, sent: by.Time})
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	return nil
}

var bySubject = regexp.MustCompile(`^subject eq '([^']*)'$`)

func (s *Server) findMail(by directory.By, w http.ResponseWriter, r *http.Request) error {
	if _, err := s.account(r); err != nil {
		return err
	}
	m := bySubject.FindStringSubmatch(r.URL.Query().Get("$filter"))
	if m == nil {
		return errors.New("only a filter by subject is known here")
	}
	list := []map[string]any{}
	s.mu.Lock()
	for _, one := range s.mail {
		if !one.deleted && one.subject == m[1] && !by.Time.Before(one.sent.Add(delivery)) {
			list = append(list, map[string]any{"id": one.id, "subject": one.subject})
		}
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal")
	return json.NewEncoder(w).Encode(map[string]any{"value": list})
}

func (s *Server) deleteMail(_ directory.By, w http.ResponseWriter, r *http.Request) error {
	if _, err := s.account(r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.mail, func(m message) bool { return m.id == r.PathValue("message") && !m.deleted })
	if i < 0 {
		return directory.ErrNotFound
	}
	s.mail[i].deleted = true
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sent shows the message trace the mails that were sent by this API. They do not leave the tenant.
func (s *Server) sent(from, to, now time.Time, yield func(string, time.Time, time.Time, map[string]any)) {
	s.mu.Lock()
	list := slices.Clone(s.mail)
	s.mu.Unlock()
	for _, m := range list {
		if m.sent.Before(from) || !m.sent.Before(to) {
			continue
		}
		status := "delivered"
		if now.Before(m.sent.Add(delivery)) {
			status = "pending"
		}
		id := record.HashText("trace", m.subject).String()
		yield("messageTraces", m.sent, m.sent, map[string]any{
			"id": id, "messageId": "<" + id + "@sim.example>", "receivedDateTime": stamp(m.sent), "senderAddress": m.from, "recipientAddress": m.from,
			"subject": m.subject, "size": 4000, "fromIP": "", "toIP": "", "status": status,
		})
	}
}
