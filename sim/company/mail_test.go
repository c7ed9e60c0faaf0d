// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

// TestMailIsWhatPeopleRead: messages, folders and servers that are asked for by
// name are those of ordinary records.
func TestMailIsWhatPeopleRead(t *testing.T) {
	c := open(t, company.Config{Seed: 5, People: 300})
	owners := map[string]int{}
	for n := range c.People() {
		owners[c.Person(n).UPN] = n
	}
	found, folders := 0, 0
	for slot := c.Slot(wednesday); slot < c.Slot(wednesday.Add(12*time.Hour)) && found < 200; slot++ {
		for i := range c.Count(company.Exchange, slot) {
			var r struct {
				Operation, MailboxOwnerUPN, OriginatingServer string
				Folders                                       []struct {
					ID, Path    string
					FolderItems []struct {
						ID, InternetMessageID string
						SizeInBytes           int
					}
				}
			}
			if json.Unmarshal(c.Append(nil, company.Ref{Stream: company.Exchange, Slot: slot, Index: i}), &r) != nil || r.Operation != "MailItemsAccessed" || len(r.Folders) == 0 {
				continue
			}
			owner := owners[r.MailboxOwnerUPN]
			if want := c.MailServer(owner) + "\r\n"; r.OriginatingServer != want {
				t.Fatalf("mailbox of %s on %q, want %q", r.MailboxOwnerUPN, r.OriginatingServer, want)
			}
			for _, f := range r.Folders {
				if id, path := c.MailFolder(owner, "Inbox"); f.Path == path {
					folders++
					if f.ID != id {
						t.Fatalf("inbox of %s is %s, want %s", r.MailboxOwnerUPN, f.ID, id)
					}
				}
				for _, item := range f.FolderItems {
					for day := range 3 {
						for k := range 40 {
							if m := c.Message(owner, wednesday.AddDate(0, 0, -day), k); m.ID == item.ID {
								found++
								if m.InternetID != item.InternetMessageID || m.Size != item.SizeInBytes {
									t.Fatalf("message %+v, want %+v", m, item)
								}
							}
						}
					}
				}
			}
		}
	}
	if found < 100 || folders < 20 {
		t.Errorf("only %d messages and %d inboxes are known", found, folders)
	}
	if id, path := c.MailFolder(0, "Invoices"); id != "" || path != `\Invoices` {
		t.Errorf("a folder that nobody has: %q %q", id, path)
	}
	var names []string
	for i := range 40 {
		names = append(names, c.Message(7, wednesday, i).InternetID)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != 40 || c.Message(7, wednesday, 40) != c.Message(7, wednesday, 0) {
		t.Error("a day has forty messages")
	}
}
