// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
)

var noon = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, people int) *directory.Directory {
	t.Helper()
	c, err := company.New(company.Config{Seed: 7, People: people})
	if err != nil {
		t.Fatal(err)
	}
	return directory.New(c)
}

func snapshot(t *testing.T, d *directory.Directory) string {
	t.Helper()
	text, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// state is the snapshot apart from how many ids were used.
func state(t *testing.T, d *directory.Directory) string {
	t.Helper()
	n := d.TestingOnlySerial(0)
	defer d.TestingOnlySerial(n)
	return snapshot(t, d)
}

func person(t *testing.T, d *directory.Directory, n int) directory.User {
	t.Helper()
	u, err := d.Person(n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func principal(t *testing.T, d *directory.Directory, name string) directory.ServicePrincipal {
	t.Helper()
	sp, ok := d.FindPrincipal(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return sp
}

func admin(t *testing.T, d *directory.Directory) directory.By {
	t.Helper()
	members := d.RoleMembers("Global Administrator")
	if len(members) == 0 {
		t.Fatal("nobody is Global Administrator")
	}
	return directory.By{Actor: members[0].Principal, Address: "192.0.2.17", UserAgent: "test/1", Time: noon}
}

// world is what the table of changes works on.
type world struct {
	d                *directory.Directory
	by               directory.By
	user, other      directory.User
	legacy           directory.Application
	principal, graph directory.ServicePrincipal
}

// change is a method that changes something: what it needs beforehand, itself,
// and what its first record says.
type change struct {
	name      string
	prepare   func(w *world) error
	do        func(w *world) (*directory.Change, error)
	operation string
	target    func(w *world) string // stands in the record
}

// last keeps what a preparation made.
var last struct {
	credential directory.Credential
	grant      directory.Grant
	assignment directory.AppRoleAssignment
	role       directory.RoleAssignment
	device     directory.Device
	rule       directory.InboxRule
	method     directory.Method
}

func upn(w *world) string { return w.user.UPN }

var changes = []change{
	{"add user", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AddUser(w.by, directory.NewUser{Name: "quiet.admin", DisplayName: "Quiet Admin"})
		return c, err
	}, "Add user.", func(w *world) string { return "quiet.admin@" + w.d.Domain() }},
	{"delete user", nil, func(w *world) (*directory.Change, error) { return w.d.DeleteUser(w.by, w.user.ID) }, "Delete user.", upn},
	{"disable user", nil, func(w *world) (*directory.Change, error) { return w.d.EnableUser(w.by, w.user.ID, false) }, "Disable account.", upn},
	{"revoke sessions", nil, func(w *world) (*directory.Change, error) { return w.d.RevokeSessions(w.by, w.user.ID) }, "Update StsRefreshTokenValidFrom Timestamp.", upn},
	{"reset password", nil, func(w *world) (*directory.Change, error) { return w.d.ResetPassword(w.by, w.user.ID) }, "Reset user password.", upn},
	{"add method", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AddMethod(w.by, w.user.ID, directory.Phone, "+1 555 0199")
		return c, err
	}, "Admin registered security info", upn},
	{"remove method", func(w *world) (err error) {
		last.method, _, err = w.d.AddMethod(w.by, w.user.ID, directory.FIDO2, "key")
		return err
	}, func(w *world) (*directory.Change, error) {
		return w.d.RemoveMethod(w.by, w.user.ID, last.method.ID)
	}, "Admin deleted security info", upn},
	{"no strong authentication", nil, func(w *world) (*directory.Change, error) { return w.d.RequireStrong(w.by, w.user.ID, false) }, "Disable Strong Authentication.", upn},
	{"add application", nil, func(w *world) (*directory.Change, error) {
		_, _, c, err := w.d.AddApplication(w.by, "Harmless")
		return c, err
	}, "Add application.", func(*world) string { return "Harmless" }},
	{"add credential to application", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AddCredential(w.by, w.legacy.ID, directory.Password, "second", time.Hour)
		return c, err
	}, "Update application – Certificates and secrets management ", func(w *world) string { return w.legacy.ID.String() }},
	{"add credential to service principal", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AddCredential(w.by, w.principal.ID, directory.Certificate, "c", time.Hour)
		return c, err
	}, "Add service principal credentials.", func(w *world) string { return w.principal.ID.String() }},
	{"remove credential", func(w *world) (err error) {
		last.credential, _, err = w.d.AddCredential(w.by, w.principal.ID, directory.Password, "x", time.Hour)
		return err
	}, func(w *world) (*directory.Change, error) {
		return w.d.RemoveCredential(w.by, w.principal.ID, last.credential.KeyID)
	}, "Remove service principal credentials.", func(*world) string { return last.credential.KeyID.String() }},
	{"add owner", nil, func(w *world) (*directory.Change, error) { return w.d.AddOwner(w.by, w.legacy.ID, w.user.ID) }, "Add owner to application.", upn},
	{"remove owner", func(w *world) error {
		_, err := w.d.AddOwner(w.by, w.principal.ID, w.user.ID)
		return err
	}, func(w *world) (*directory.Change, error) { return w.d.RemoveOwner(w.by, w.principal.ID, w.user.ID) }, "Remove owner from service principal.", upn},
	{"disable service principal", nil, func(w *world) (*directory.Change, error) {
		return w.d.EnablePrincipal(w.by, w.principal.ID, false)
	}, "Update service principal.", func(w *world) string { return w.principal.ID.String() }},
	{"delete service principal", nil, func(w *world) (*directory.Change, error) { return w.d.DeletePrincipal(w.by, w.principal.ID) }, "Remove app role assignment from service principal.", func(w *world) string { return w.principal.ID.String() }},
	{"assign app role", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AssignAppRole(w.by, w.principal.ID, w.graph.ID, "Mail.Read")
		return c, err
	}, "Add app role assignment to service principal.", func(w *world) string { return w.principal.ID.String() }},
	{"remove app role", func(w *world) (err error) {
		last.assignment, _, err = w.d.AssignAppRole(w.by, w.principal.ID, w.graph.ID, "Mail.Send")
		return err
	}, func(w *world) (*directory.Change, error) { return w.d.RemoveAppRole(w.by, last.assignment.ID) }, "Remove app role assignment from service principal.", func(*world) string { return "Mail.Send" }},
	{"consent", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.Consent(w.by, w.principal.ID, w.graph.ID, "Mail.Read  offline_access", true)
		return c, err
	}, "Add delegated permission grant.", func(*world) string { return "Mail.Read offline_access" }},
	{"delete grant", func(w *world) (err error) {
		last.grant, _, err = w.d.Consent(w.by, w.principal.ID, w.graph.ID, "Files.Read.All", false)
		return err
	}, func(w *world) (*directory.Change, error) { return w.d.DeleteGrant(w.by, last.grant.ID) }, "Remove delegated permission grant.", func(*world) string { return "Files.Read.All" }},
	{"add role member", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AddRoleMember(w.by, "Security Reader", w.user.ID)
		return c, err
	}, "Add member to role.", upn},
	{"remove role member", func(w *world) (err error) {
		last.role, _, err = w.d.AddRoleMember(w.by, "Global Administrator", w.principal.ID)
		return err
	}, func(w *world) (*directory.Change, error) { return w.d.RemoveRoleMember(w.by, last.role.ID) }, "Remove member from role.", func(w *world) string { return w.principal.ID.String() }},
	{"register device", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.RegisterDevice(w.by, w.user.ID, "DESKTOP-1", "Windows")
		return c, err
	}, "Add device.", func(*world) string { return "DESKTOP-1" }},
	{"disable device", device, func(w *world) (*directory.Change, error) { return w.d.EnableDevice(w.by, last.device.ID, false) }, "Update device.", func(*world) string { return last.device.ID.String() }},
	{"delete device", device, func(w *world) (*directory.Change, error) { return w.d.DeleteDevice(w.by, last.device.ID) }, "Delete device.", func(*world) string { return last.device.ID.String() }},
	{"add inbox rule", nil, func(w *world) (*directory.Change, error) {
		_, c, err := w.d.AddInboxRule(w.by, w.user.ID, directory.InboxRule{Name: ".", ForwardTo: []string{"x@collector.example"}, Delete: true})
		return c, err
	}, "New-InboxRule", func(*world) string { return "x@collector.example" }},
	{"remove inbox rule", rule, func(w *world) (*directory.Change, error) {
		return w.d.RemoveInboxRule(w.by, w.user.ID, last.rule.ID)
	}, "Remove-InboxRule", func(*world) string { return "..." }},
	{"disable inbox rule", rule, func(w *world) (*directory.Change, error) {
		return w.d.EnableInboxRule(w.by, w.user.ID, last.rule.ID, false)
	}, "Disable-InboxRule", func(*world) string { return "..." }},
	{"forwarding", nil, func(w *world) (*directory.Change, error) {
		return w.d.SetForwarding(w.by, w.user.ID, "y@collector.example", true)
	}, "Set-Mailbox", func(*world) string { return "smtp:y@collector.example" }},
	{"no audit", nil, func(w *world) (*directory.Change, error) { return w.d.EnableAudit(w.by, w.user.ID, false) }, "Set-Mailbox", upn},
	{"less audit", nil, func(w *world) (*directory.Change, error) {
		return w.d.AuditOwner(w.by, w.user.ID, "MailItemsAccessed")
	}, "Set-Mailbox", upn},
	{"bypass audit", nil, func(w *world) (*directory.Change, error) { return w.d.BypassAudit(w.by, w.user.ID, true) }, "Set-MailboxAuditBypassAssociation", upn},
	{"disable unified audit", nil, func(w *world) (*directory.Change, error) { return w.d.EnableUnifiedAudit(w.by, false) }, "Set-AdminAuditLogConfig", func(*world) string { return "UnifiedAuditLogIngestionEnabled" }},
	{"mailbox audit off", nil, func(w *world) (*directory.Change, error) { return w.d.EnableMailboxAudit(w.by, false) }, "Set-OrganizationConfig", func(*world) string { return "AuditDisabled" }},
	{"license", nil, func(w *world) (*directory.Change, error) {
		return w.d.SetLicense(w.by, w.user.ID, directory.PlainLicense)
	}, "Change user license.", upn},
	{"mailbox permission", nil, func(w *world) (*directory.Change, error) {
		return w.d.AddMailboxPermission(w.by, w.user.ID, w.other.ID, "FullAccess")
	}, "Add-MailboxPermission", func(w *world) string { return w.other.UPN }},
	{"remove mailbox permission", func(w *world) error {
		_, err := w.d.AddMailboxPermission(w.by, w.user.ID, w.other.ID, "SendAs")
		return err
	}, func(w *world) (*directory.Change, error) {
		return w.d.RemoveMailboxPermission(w.by, w.user.ID, w.other.ID, "SendAs")
	}, "Remove-RecipientPermission", func(w *world) string { return w.other.UPN }},
}

func device(w *world) (err error) {
	last.device, _, err = w.d.RegisterDevice(w.by, w.user.ID, "PHONE-2", "Android")
	return err
}

func rule(w *world) (err error) {
	last.rule, _, err = w.d.AddInboxRule(w.by, w.user.ID, directory.InboxRule{Name: "...", MoveToFolder: "RSS Feeds", From: []string{"boss"}})
	return err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	d := open(t, 60)
	legacy, ok := d.FindApplication(directory.LegacyApplication)
	if !ok {
		t.Fatal("there is no legacy application")
	}
	return &world{d, admin(t, d), person(t, d, 40), person(t, d, 41), legacy, principal(t, d, directory.LegacyApplication), principal(t, d, directory.MicrosoftGraph)}
}

// TestChanges makes every change: its records name who did it and to what, come
// from where the actor was, and taking it back restores every byte.
func TestChanges(t *testing.T) {
	for _, tt := range changes {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.prepare != nil {
				if err := tt.prepare(w); err != nil {
					t.Fatal(err)
				}
			}
			before := state(t, w.d)
			c, err := tt.do(w)
			if err != nil {
				t.Fatal(err)
			}
			if state(t, w.d) == before {
				t.Fatal("nothing changed")
			}
			actor, _ := w.d.User(w.by.Actor)
			for _, r := range c.Records {
				checkRecord(t, r, actor.UPN)
			}
			if got := c.Records[0]; got.Operation != tt.operation || !strings.Contains(string(got.Raw), tt.target(w)) {
				t.Errorf("first record is %s: want %s with %q in\n%s", got.Operation, tt.operation, tt.target(w), got.Raw)
			}
			back, err := w.d.Undo(w.by, c)
			if err != nil {
				t.Fatalf("undo: %v", err)
			}
			if got := state(t, w.d); got != before {
				t.Errorf("undone, the directory is\n%s\nwant\n%s", got, before)
			}
			if tt.name != "reset password" && len(back.Records) == 0 {
				t.Error("taking it back leaves no record")
			}
			for _, r := range back.Records {
				checkRecord(t, r, actor.UPN)
			}
			if _, err := w.d.Undo(w.by, c); !errors.Is(err, directory.ErrConflict) {
				t.Errorf("undone twice: %v", err)
			}
			if _, err := w.d.Undo(w.by, back); err != nil {
				t.Errorf("undoing the undo: %v", err)
			}
		})
	}
}

func checkRecord(t *testing.T, r directory.Record, actor string) {
	t.Helper()
	var m struct {
		ID, CreationTime, Operation, OrganizationID, UserID, ObjectID, ClientIP string
		Actor, Target                                                           []struct{ ID string }
		Parameters                                                              []struct{ Name, Value string }
	}
	if err := json.Unmarshal(r.Raw, &m); err != nil {
		t.Fatalf("%v\n%s", err, r.Raw)
	}
	if m.ID != r.ID || m.CreationTime != "2026-03-09T12:00:00" || m.Operation != r.Operation || m.UserID != actor || m.ObjectID == "" || !strings.HasPrefix(m.ClientIP, "192.0.2.17") {
		t.Errorf("record says %+v", m)
	}
	switch r.Stream {
	case company.AzureActiveDirectory:
		if len(m.Target) < 4 || len(m.Actor) < 5 || m.Actor[0].ID != actor {
			t.Errorf("%s: actor %v, target %v", r.Operation, m.Actor, m.Target)
		}
	case company.Exchange:
		if len(m.Parameters) < 1 {
			t.Errorf("%s without parameters", r.Operation)
		}
	default:
		t.Errorf("%s in stream %s", r.Operation, r.Stream)
	}
}

func TestUndoRefusesWhatChangedSince(t *testing.T) {
	w := newWorld(t)
	c, err := w.d.EnableUser(w.by, w.user.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.d.RevokeSessions(w.by, w.user.ID); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, w.d)
	if _, err := w.d.Undo(w.by, c); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("undo: %v, want a conflict", err)
	}
	if snapshot(t, w.d) != before {
		t.Error("a refused undo changed something")
	}
}

// TestUndoInReverse makes many changes to the same few objects, in an order of
// chance, and takes them back in reverse.
func TestUndoInReverse(t *testing.T) {
	total := 0
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		before := state(t, w.d)
		var made []*directory.Change
		for range 60 {
			tt := changes[rnd.IntN(len(changes))]
			if tt.prepare != nil {
				continue
			}
			c, err := tt.do(w)
			switch {
			case err == nil:
				made = append(made, c)
			case !errors.Is(err, directory.ErrConflict) && !errors.Is(err, directory.ErrNotFound):
				t.Fatalf("%s: %v", tt.name, err)
			}
			if len(made) > 0 && rnd.IntN(4) == 0 {
				if _, err := w.d.Undo(w.by, made[len(made)-1]); err != nil {
					t.Fatalf("undo: %v", err)
				}
				made = made[:len(made)-1]
			}
		}
		total += len(made)
		for _, c := range slices.Backward(made) {
			if _, err := w.d.Undo(w.by, c); err != nil {
				t.Fatalf("undo: %v", err)
			}
		}
		if got := state(t, w.d); got != before {
			t.Fatalf("seed %d: all undone, the directory is\n%s\nwant\n%s", seed, got, before)
		}
	}
	if total < 150 {
		t.Errorf("only %d changes", total)
	}
}

// FuzzRestore: a snapshot is refused and changes nothing, or gives a directory
// whose own snapshot gives the same, and that answers.
func FuzzRestore(f *testing.F) {
	d := open(f, 60)
	empty, err := d.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	members := d.RoleMembers("Global Administrator")
	by := directory.By{Actor: members[0].Principal, Time: noon}
	u, _, err := d.AddUser(by, directory.NewUser{Name: "x"})
	if err != nil {
		f.Fatal(err)
	}
	if _, _, err := d.AddInboxRule(by, u.ID, directory.InboxRule{Name: "r"}); err != nil {
		f.Fatal(err)
	}
	full, err := d.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{empty, full, []byte("{}"), []byte("null")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := open(t, 60)
		if err := d.Restore(text); err != nil {
			if got, _ := d.Snapshot(); string(got) != string(empty) {
				t.Fatal("a refused snapshot changed something")
			}
			return
		}
		first, err := d.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Restore(first); err != nil {
			t.Fatalf("its own snapshot: %v", err)
		}
		if again, _ := d.Snapshot(); string(again) != string(first) {
			t.Fatalf("%s\nagain %s", first, again)
		}
		for _, u := range d.Users() {
			d.Footholds(u.ID, noon)
			_, _ = d.RevokeSessions(directory.By{Time: noon}, u.ID)
		}
		for _, sp := range d.Principals() {
			d.Footholds(sp.ID, noon)
			_, _ = d.DeletePrincipal(directory.By{Time: noon}, sp.ID)
		}
	})
}

func TestSnapshotRoundTrip(t *testing.T) {
	w := newWorld(t)
	var made []*directory.Change
	for _, tt := range changes {
		if strings.Contains(tt.name, "delete") || strings.Contains(tt.name, "disable") || strings.Contains(tt.name, "remove") {
			continue
		}
		c, err := tt.do(w)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		made = append(made, c)
	}
	text := snapshot(t, w.d)
	other := open(t, 60)
	if err := other.Restore([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if got := snapshot(t, other); got != text {
		t.Errorf("restored\n%s\nwant\n%s", got, text)
	}
	for _, d := range []*directory.Directory{w.d, other} {
		if u, ok := d.FindUser("Quiet.Admin@" + d.Domain()); !ok || u.DisplayName != "Quiet Admin" {
			t.Errorf("the added user is not found: %v %v", u, ok)
		}
	}
	// The same step on both gives the same record.
	a, err1 := w.d.RevokeSessions(w.by, w.other.ID)
	b, err2 := other.RevokeSessions(w.by, w.other.ID)
	if err1 != nil || err2 != nil || string(a.Records[0].Raw) != string(b.Records[0].Raw) {
		t.Errorf("after a restore: %v %v", err1, err2)
	}
	if err := w.d.Restore([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.d.Undo(w.by, made[0]); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("undo over a restore: %v", err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	d := open(t, 60)
	good := snapshot(t, d)
	for name, text := range map[string]string{
		"no JSON":       "no",
		"nothing":       "{}",
		"unknown field": strings.Replace(good, "{\"Format\"", "{\"Extra\":1,\"Format\"", 1),
		"format":        strings.Replace(good, "\"Format\":1", "\"Format\":9", 1),
		"tenant":        strings.Replace(good, d.Tenant().String(), "00000000-0000-4000-8000-000000000000", 1),
		"more":          good + "{}",
		"no principals": good[:strings.Index(good, "\"Principals\"")] + "\"Principals\":{}," + good[strings.Index(good, "\"Assignments\""):],
		"null":          strings.Replace(good, "\"Grants\":{}", "\"Grants\":{\"00000000-0000-4000-8000-000000000000\":null}", 1),
	} {
		if err := d.Restore([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if snapshot(t, d) != good {
			t.Fatalf("%s: changed something", name)
		}
	}
}

func TestRights(t *testing.T) {
	w := newWorld(t)
	nobody := directory.By{Actor: w.other.ID, Address: "192.0.2.18", Time: noon}
	for _, tt := range changes {
		if tt.name == "add application" { // whoever has an account may
			continue
		}
		if tt.prepare != nil {
			if err := tt.prepare(w); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		before := state(t, w.d)
		v := *w
		v.by = nobody
		if _, err := tt.do(&v); !errors.Is(err, directory.ErrDenied) {
			t.Errorf("%s by somebody: %v, want a refusal", tt.name, err)
		}
		if state(t, w.d) != before {
			t.Fatalf("%s: refused and done", tt.name)
		}
	}
	if _, err := w.d.EnableUser(w.by, w.by.Actor, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.d.DeleteUser(w.by, w.user.ID); !errors.Is(err, directory.ErrDenied) {
		t.Errorf("by a disabled administrator: %v", err)
	}
}

func TestSignIn(t *testing.T) {
	d := open(t, 60)
	u := person(t, d, 30)
	legacy, _ := d.FindUser(directory.LegacyAccount + "@" + d.Domain())
	office := principal(t, d, "Microsoft Office").AppID
	exchange := principal(t, d, directory.ExchangeOnline).AppID
	at := noon
	try := func(s directory.SignIn) (directory.Session, int, string) {
		t.Helper()
		at = at.Add(time.Second)
		s.Client, s.Resource = office, exchange
		session, r, err := d.SignIn(directory.By{Address: "100.64.1.2", UserAgent: "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0", Time: at}, s)
		var m struct{ Operation, UserID, ErrorNumber, LogonError, ResultStatus, IntraSystemID, ID string }
		if json.Unmarshal(r.Raw, &m) != nil || m.ID != m.IntraSystemID {
			t.Fatalf("record %s", r.Raw)
		}
		code := 0
		if failed := (*directory.SignInError)(nil); errors.As(err, &failed) {
			code = failed.Code
			if m.Operation != "UserLoginFailed" || m.LogonError != failed.Name {
				t.Errorf("a failure is written as %s", r.Raw)
			}
		} else if err != nil {
			t.Fatal(err)
		} else if m.Operation != "UserLoggedIn" {
			t.Errorf("a success is written as %s", r.Raw)
		}
		return session, code, m.UserID
	}
	if _, code, who := try(directory.SignIn{UPN: "nobody@" + d.Domain(), Password: true}); code != 50034 || who != "Not Available" {
		t.Errorf("unknown account: %d, %s", code, who)
	}
	if _, code, who := try(directory.SignIn{UPN: strings.ToUpper(u.UPN), Direct: true}); code != 50126 || who != u.UPN {
		t.Errorf("wrong password: %d, %s", code, who)
	}
	if _, code, _ := try(directory.SignIn{UPN: u.UPN, Password: true}); code != 50076 {
		t.Errorf("without a second factor: %d", code)
	}
	s, code, _ := try(directory.SignIn{UPN: u.UPN, Password: true, Second: true})
	if code != 0 || len(d.Sessions(u.ID)) != 1 {
		t.Errorf("with a second factor: %d, sessions %v", code, d.Sessions(u.ID))
	}
	if _, code, _ := try(directory.SignIn{UPN: legacy.UPN, Password: true}); code != 0 {
		t.Errorf("the legacy account without a second factor: %d", code)
	}
	for range 10 {
		try(directory.SignIn{UPN: u.UPN})
	}
	if _, code, _ := try(directory.SignIn{UPN: u.UPN, Password: true, Second: true}); code != 50053 {
		t.Errorf("after ten wrong passwords: %d", code)
	}
	at = at.Add(time.Minute)
	if _, code, _ := try(directory.SignIn{UPN: u.UPN, Password: true, Second: true}); code != 0 {
		t.Errorf("a minute later: %d", code)
	}
	by := admin(t, d)
	by.Time = at.Add(time.Second)
	read := func() error {
		_, err := d.ReadMail(directory.By{Actor: u.ID, Session: s.ID, Time: at}, directory.MailAccess{Mailbox: u.ID, Folder: "Inbox", Items: 1})
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RevokeSessions(by, u.ID); err != nil {
		t.Fatal(err)
	}
	if err := read(); !errors.Is(err, directory.ErrDenied) || len(d.Sessions(u.ID)) != 0 {
		t.Errorf("after the sessions were revoked: %v", err)
	}
	if _, err := d.EnableUser(by, u.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, code, _ := try(directory.SignIn{UPN: u.UPN, Password: true, Second: true}); code != 50057 {
		t.Errorf("disabled: %d", code)
	}
}

// TestRecordsOfASessionJoin: what is done in a session names the session and the
// token of its sign-in.
func TestRecordsOfASessionJoin(t *testing.T) {
	d := open(t, 60)
	u := person(t, d, 12)
	s, signIn, err := d.SignIn(directory.By{Address: "100.64.3.3", Time: noon}, directory.SignIn{UPN: u.UPN, Password: true, Second: true})
	if err != nil {
		t.Fatal(err)
	}
	by := directory.By{Actor: u.ID, Session: s.ID, Address: "100.64.3.3", Time: noon.Add(time.Minute)}
	mail, err1 := d.ReadMail(by, directory.MailAccess{Mailbox: u.ID, Folder: "Inbox", Items: 2})
	file, err2 := d.DownloadFile(by, directory.File{Owner: u.ID, Path: "Documents", Name: "a.docx", Size: 9})
	_, rule, err3 := d.AddInboxRule(by, u.ID, directory.InboxRule{Name: "."})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(signIn.Raw), "{\"Name\":\"SessionId\",\"Value\":\""+s.ID.String()+"\"}") {
		t.Errorf("the sign-in does not name its session: %s", signIn.Raw)
	}
	for _, r := range []directory.Record{mail[0], file[0], rule.Records[0]} {
		var m struct {
			AppAccessContext struct{ AADSessionID, UniqueTokenID string }
		}
		if err := json.Unmarshal(r.Raw, &m); err != nil {
			t.Fatal(err)
		}
		token, err := base64.RawURLEncoding.DecodeString(m.AppAccessContext.UniqueTokenID)
		if err != nil || len(token) != 16 || directory.ID(token).String() != signIn.ID || m.AppAccessContext.AADSessionID != s.ID.String() {
			t.Errorf("%s: session %s, token %x: want those of %s", r.Operation, m.AppAccessContext.AADSessionID, token, signIn.Raw)
		}
	}
}

// TestTokensOutliveTheirRights: what an application may do stands in its token.
// Taking the credential and the role away stops the next token, not this one.
func TestTokensOutliveTheirRights(t *testing.T) {
	d := open(t, 60)
	by := admin(t, d)
	exchange := principal(t, d, directory.ExchangeOnline)
	_, sp, _, err := d.AddApplication(by, "Reader")
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := d.AddCredential(by, sp.ID, directory.Password, "k", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	role, _, err := d.AssignAppRole(by, sp.ID, exchange.ID, "full_access_as_app")
	if err != nil {
		t.Fatal(err)
	}
	at := directory.By{Actor: sp.ID, Address: "100.64.9.9", UserAgent: "ews/1", Time: noon}
	token, err := d.SignInApp(at, sp.ID, key.KeyID, exchange.AppID)
	if err != nil {
		t.Fatal(err)
	}
	at.Session = token.ID
	victim := person(t, d, 5)
	read := func(after time.Duration) error {
		at.Time = noon.Add(after)
		rs, err := d.ReadMail(at, directory.MailAccess{Mailbox: victim.ID, Folder: "Inbox", Items: 3})
		if err == nil && !strings.Contains(string(rs[0].Raw), "\"ClientInfoString\":\"Client=WebServices;ExchangeWebServices;") {
			t.Errorf("read as %s", rs[0].Raw)
		}
		return err
	}
	if err := read(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := kinds(d.Footholds(sp.ID, noon.Add(time.Minute))); got != "enabled credential owner token app-role" && got != "enabled credential owner owner token app-role" {
		t.Errorf("footholds: %s", got)
	}
	if _, err := d.RemoveCredential(by, sp.ID, key.KeyID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RemoveAppRole(by, role.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.EnablePrincipal(by, sp.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := read(30 * time.Minute); err != nil {
		t.Errorf("with the token from before: %v", err)
	}
	if err := read(2 * time.Hour); !errors.Is(err, directory.ErrDenied) {
		t.Errorf("with an expired token: %v", err)
	}
	if _, err := d.SignInApp(at, sp.ID, key.KeyID, exchange.AppID); !errors.Is(err, directory.ErrDenied) {
		t.Errorf("a new token: %v", err)
	}
	if got := d.Tokens(); len(got) != 2 || got[0].Error != 0 || got[1].Error != 7000112 {
		t.Errorf("sign-ins: %+v", got)
	}
	if got := kinds(d.Footholds(sp.ID, noon.Add(3*time.Hour))); strings.Contains(got, "credential") || strings.Contains(got, "token") || strings.Contains(got, "enabled") {
		t.Errorf("footholds after the eviction: %s", got)
	}
}

func kinds(list []directory.Foothold) string {
	var names []string
	for _, f := range list {
		names = append(names, f.Kind)
	}
	return strings.Join(names, " ")
}

// TestFootholdsAreAllThereAre gives a user one of everything and expects each
// to be listed, and none after each was taken away.
func TestFootholdsAreAllThereAre(t *testing.T) {
	w := newWorld(t)
	d, by := w.d, w.by
	u, _, err := d.AddUser(by, directory.NewUser{Name: "guest.worker", DisplayName: "G", WeakSignIn: true})
	if err != nil {
		t.Fatal(err)
	}
	own := directory.By{Actor: u.ID, Address: "100.64.0.9", Time: noon}
	s, _, err := d.SignIn(own, directory.SignIn{UPN: u.UPN, Password: true})
	if err != nil {
		t.Fatal(err)
	}
	own.Session = s.ID
	must := func(c *directory.Change, err error) *directory.Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var all []*directory.Change
	_, c, err := d.AddMethod(own, u.ID, directory.Phone, "1")
	all = append(all, must(c, err))
	_, c, err = d.RegisterDevice(own, u.ID, "D", "Linux")
	all = append(all, must(c, err))
	_, c, err = d.AddInboxRule(own, u.ID, directory.InboxRule{Name: "r"})
	all = append(all, must(c, err))
	all = append(all, must(d.SetForwarding(own, u.ID, "z@collector.example", false)))
	all = append(all, must(d.BypassAudit(by, u.ID, true)))
	all = append(all, must(d.AddMailboxPermission(by, w.user.ID, u.ID, "FullAccess")))
	_, c, err = d.Consent(own, w.principal.ID, w.graph.ID, "Mail.Read", false)
	all = append(all, must(c, err))
	_, c, err = d.AddRoleMember(by, "Security Reader", u.ID)
	all = append(all, must(c, err))
	all = append(all, must(d.AddOwner(by, w.legacy.ID, u.ID)))
	const want = "enabled session method device inbox-rule forwarding audit-bypass mailbox-permission app-role grant role owner"
	if got := kinds(d.Footholds(u.ID, noon)); got != want {
		t.Errorf("footholds %s\nwant      %s", got, want)
	}
	for i := len(all) - 1; i >= 0; i-- {
		must(d.Undo(by, all[i]))
	}
	by.Time = noon.Add(time.Second)
	must(d.RevokeSessions(by, u.ID))
	must(d.EnableUser(by, u.ID, false))
	if got := d.Footholds(u.ID, by.Time); len(got) != 0 {
		t.Errorf("footholds after the eviction: %v", got)
	}
}

// TestMailThrottle: a thousand records of a mailbox in a day, one that says that
// there will be no more, and silence for a day.
func TestMailThrottle(t *testing.T) {
	d := open(t, 60)
	u := person(t, d, 3)
	s, _, err := d.SignIn(directory.By{Time: noon}, directory.SignIn{UPN: u.UPN, Password: true, Second: true})
	if err != nil {
		t.Fatal(err)
	}
	written, throttled := 0, 0
	read := func(after time.Duration) int {
		rs, err := d.ReadMail(directory.By{Actor: u.ID, Session: s.ID, Time: noon.Add(after)}, directory.MailAccess{Mailbox: u.ID, Folder: "Inbox", Items: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			if strings.Contains(string(r.Raw), "{\"Name\":\"IsThrottled\",\"Value\":\"True\"}") {
				throttled++
			}
		}
		return len(rs)
	}
	for i := range 1100 {
		written += read(time.Duration(i) * time.Second)
	}
	if written != 1001 || throttled != 1 {
		t.Errorf("%d records, %d of them throttled: want 1001 and 1", written, throttled)
	}
	if read(23*time.Hour) != 0 || read(25*time.Hour) != 1 {
		t.Error("the silence does not last a day")
	}
}

func TestMemoryGrowsWithChangesOnly(t *testing.T) {
	d := open(t, company.MaxPeople)
	before := len(snapshot(t, d))
	for n := range 5000 {
		u := person(t, d, n*299)
		if v, ok := d.User(u.ID); !ok || v.UPN != u.UPN {
			t.Fatalf("person %d is not found by id", n)
		}
	}
	if got := len(snapshot(t, d)); got != before {
		t.Errorf("looking at people made the state grow from %d to %d bytes", before, got)
	}
}

func TestFindUser(t *testing.T) {
	d := open(t, 3000)
	u := person(t, d, 2999)
	other := open(t, 3000) // where nobody looked at him by number
	got, ok := other.FindUser(strings.ToUpper(u.UPN[:1]) + u.UPN[1:])
	if !ok || got.ID != u.ID || got.Person != 2999 {
		t.Errorf("by name: %+v %v", got, ok)
	}
	if got, ok := other.User(u.ID); !ok || got.UPN != u.UPN {
		t.Errorf("by id: %+v %v", got, ok)
	}
	if _, ok := other.FindUser("no.such@" + d.Domain()); ok {
		t.Error("somebody was found who does not exist")
	}
	if _, err := d.Person(3000); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("person 3000: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	d := open(t, 60)
	by := admin(t, d)
	var wg sync.WaitGroup
	ids := make(chan string, 1000)
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				u, _ := d.Person((g*50 + i) % 60)
				if c, err := d.RevokeSessions(by, u.ID); err == nil {
					for _, r := range c.Records {
						ids <- r.ID
					}
				}
				d.Footholds(u.ID, noon)
				d.Principals()
			}
		})
	}
	wg.Wait()
	close(ids)
	seen := map[string]bool{}
	for id := range ids {
		if seen[id] {
			t.Fatalf("id %s twice", id)
		}
		seen[id] = true
	}
	if len(seen) != 200 {
		t.Errorf("%d records, want 200", len(seen))
	}
}
