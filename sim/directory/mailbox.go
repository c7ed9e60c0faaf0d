// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strings"
)

func (d *Directory) mailboxLocked(owner ID) Mailbox {
	if m := d.state.mailboxes[owner]; m != nil {
		return *m
	}
	return Mailbox{Owner: owner}
}

// changeMailbox changes the mailbox of an account. Owners may change their own
// where self says so.
func (d *Directory) changeMailbox(by By, what string, owner ID, self bool, f func(m *Mailbox, u *User, c *Change) error) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.userLocked(owner)
	if !ok || u.Deleted {
		return nil, fmt.Errorf("%s: mailbox of %s: %w", what, owner, ErrNotFound)
	}
	var owners []ID
	if self {
		owners = []ID{owner}
	}
	if err := d.mayLocked(by, what, toManageMail, owners...); err != nil {
		return nil, err
	}
	m := d.mailboxLocked(owner)
	m.Rules, m.Permissions = slices.Clone(m.Rules), slices.Clone(m.Permissions)
	c := &Change{}
	if err := f(&m, &u, c); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", what, u.UPN, err)
	}
	replace(c, d.state.mailboxes, owner, &m)
	d.writeLocked(by, c)
	return c, nil
}

// AddInboxRule adds a rule; its ID is set here.
func (d *Directory) AddInboxRule(by By, owner ID, rule InboxRule) (InboxRule, *Change, error) {
	c, err := d.changeMailbox(by, "add inbox rule", owner, true, func(m *Mailbox, u *User, c *Change) error {
		rule.ID, rule.Enabled = d.newIDLocked(), true
		m.Rules = append(m.Rules, rule)
		c.log(ruleEntry(u, &rule, true), ruleEntry(u, &rule, false))
		return nil
	})
	return rule, c, err
}

// RemoveInboxRule removes a rule.
func (d *Directory) RemoveInboxRule(by By, owner, rule ID) (*Change, error) {
	return d.changeMailbox(by, "remove inbox rule", owner, true, func(m *Mailbox, u *User, c *Change) error {
		i := slices.IndexFunc(m.Rules, func(r InboxRule) bool { return r.ID == rule })
		if i < 0 {
			return fmt.Errorf("rule %s: %w", rule, ErrNotFound)
		}
		r := m.Rules[i]
		m.Rules = slices.Delete(m.Rules, i, i+1)
		c.log(ruleEntry(u, &r, false), ruleEntry(u, &r, true))
		return nil
	})
}

// EnableInboxRule switches a rule on or off.
func (d *Directory) EnableInboxRule(by By, owner, rule ID, enabled bool) (*Change, error) {
	return d.changeMailbox(by, "enable inbox rule", owner, true, func(m *Mailbox, u *User, c *Change) error {
		i := slices.IndexFunc(m.Rules, func(r InboxRule) bool { return r.ID == rule })
		if i < 0 {
			return fmt.Errorf("rule %s: %w", rule, ErrNotFound)
		}
		if m.Rules[i].Enabled == enabled {
			return ErrConflict
		}
		m.Rules[i].Enabled = enabled
		identity := alias(u) + "\\" + m.Rules[i].Name
		on := entry{operation: "Enable-InboxRule", mailbox: identity, params: [][2]string{{"Identity", identity}}}
		off := on
		off.operation = "Disable-InboxRule"
		if !enabled {
			on, off = off, on
		}
		c.log(on, off)
		return nil
	})
}

// mailboxName is the name of a mailbox in Exchange's own directory.
func (d *Directory) mailboxName(u *User) string {
	return "EURPR08A004.PROD.OUTLOOK.EXAMPLE/Microsoft Exchange Hosted Organizations/" + d.organization() + "/" + alias(u)
}

func alias(u *User) string {
	name, _, _ := strings.Cut(u.UPN, "@")
	return name
}

// ruleEntry is the cmdlet that makes or removes a rule. Exchange names a rule by
// the mailbox's alias and the rule's name.
func ruleEntry(u *User, r *InboxRule, added bool) entry {
	identity := alias(u) + "\\" + r.Name
	if !added {
		return entry{operation: "Remove-InboxRule", mailbox: identity, params: [][2]string{{"Identity", identity}, {"Force", "True"}}}
	}
	params := [][2]string{{"AlwaysDeleteOutlookRulesBlob", "False"}, {"Force", "False"}}
	text := func(name, value string) {
		if value != "" {
			params = append(params, [2]string{name, value})
		}
	}
	flag := func(name string, set bool) {
		if set {
			text(name, "True")
		}
	}
	text("Name", r.Name)
	text("From", strings.Join(r.From, ";"))
	text("SubjectOrBodyContainsWords", strings.Join(r.SubjectOrBodyContains, ";"))
	text("ForwardTo", strings.Join(r.ForwardTo, ";"))
	text("RedirectTo", strings.Join(r.RedirectTo, ";"))
	text("MoveToFolder", r.MoveToFolder)
	flag("DeleteMessage", r.Delete)
	flag("MarkAsRead", r.MarkAsRead)
	flag("StopProcessingRules", r.StopProcessing)
	return entry{operation: "New-InboxRule", mailbox: identity, params: params}
}

// SetForwarding sends a copy of all mail, or all mail itself, to an address; an
// empty address ends it.
func (d *Directory) SetForwarding(by By, owner ID, address string, keepCopy bool) (*Change, error) {
	return d.changeMailbox(by, "set forwarding", owner, true, func(m *Mailbox, u *User, c *Change) error {
		before := d.forwardingEntry(u, m)
		m.ForwardTo, m.DeliverToBoth = address, keepCopy
		c.log(d.forwardingEntry(u, m), before)
		return nil
	})
}

func (d *Directory) forwardingEntry(u *User, m *Mailbox) entry {
	address := m.ForwardTo
	if address != "" {
		address = "smtp:" + address
	}
	return d.setMailbox(u, [2]string{"ForwardingSmtpAddress", address}, [2]string{"DeliverToMailboxAndForward", truth(m.DeliverToBoth)})
}

func (d *Directory) setMailbox(u *User, params ...[2]string) entry {
	return entry{operation: "Set-Mailbox", mailbox: d.mailboxName(u), params: append([][2]string{{"Identity", u.UPN}}, params...)}
}

func truth(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// EnableAudit switches the auditing of a mailbox on or off.
func (d *Directory) EnableAudit(by By, owner ID, enabled bool) (*Change, error) {
	return d.changeMailbox(by, "enable audit", owner, false, func(m *Mailbox, u *User, c *Change) error {
		if m.AuditDisabled == !enabled {
			return ErrConflict
		}
		m.AuditDisabled = !enabled
		c.log(d.setMailbox(u, [2]string{"AuditEnabled", truth(enabled)}), d.setMailbox(u, [2]string{"AuditEnabled", truth(!enabled)}))
		return nil
	})
}

// DefaultAuditOwner is what the owner of a mailbox does that is logged as long as nobody has chosen (Microsoft's "Manage
// mailbox auditing").
var DefaultAuditOwner = []string{
	"ApplyRecord", "HardDelete", "MailItemsAccessed", "MoveToDeletedItems", "RecordDelete", "Send", "SoftDelete", "Update", "UpdateCalendarDelegation",
	"UpdateFolderPermissions", "UpdateInboxRules",
}

// AuditOwner takes acts of its owner out of what a mailbox logs; none: what is logged is the default again.
func (d *Directory) AuditOwner(by By, owner ID, less ...string) (*Change, error) {
	return d.changeMailbox(by, "audit owner", owner, false, func(m *Mailbox, u *User, c *Change) error {
		m.AuditOwner = nil
		set := d.setMailbox(u, [2]string{"DefaultAuditSet", "Owner"})
		if len(less) > 0 {
			m.AuditOwner = slices.DeleteFunc(slices.Clone(DefaultAuditOwner), func(a string) bool { return slices.Contains(less, a) })
			set = d.setMailbox(u, [2]string{"AuditOwner", "Remove=" + strings.Join(less, ";")})
		}
		c.log(set, d.setMailbox(u, [2]string{"DefaultAuditSet", "Owner"}))
		return nil
	})
}

// BypassAudit keeps what an account does in mailboxes out of the log, or no
// longer.
func (d *Directory) BypassAudit(by By, account ID, bypass bool) (*Change, error) {
	return d.changeMailbox(by, "bypass audit", account, false, func(m *Mailbox, u *User, c *Change) error {
		if m.AuditBypass == bypass {
			return ErrConflict
		}
		m.AuditBypass = bypass
		on := entry{operation: "Set-MailboxAuditBypassAssociation", mailbox: d.mailboxName(u), params: [][2]string{{"Identity", u.UPN}, {"AuditBypassEnabled", truth(bypass)}}}
		off := on
		off.params = [][2]string{{"Identity", u.UPN}, {"AuditBypassEnabled", truth(!bypass)}}
		c.log(on, off)
		return nil
	})
}

// AddMailboxPermission lets another account into a mailbox.
func (d *Directory) AddMailboxPermission(by By, owner, trustee ID, rights string) (*Change, error) {
	return d.changeMailbox(by, "add mailbox permission", owner, false, func(m *Mailbox, u *User, c *Change) error {
		who, ok := d.userLocked(trustee)
		if !ok || who.Deleted {
			return fmt.Errorf("trustee %s: %w", trustee, ErrNotFound)
		}
		if rights != "FullAccess" && rights != "SendAs" {
			return fmt.Errorf("%.60q is no right on a mailbox: use FullAccess or SendAs", rights)
		}
		p := MailboxPermission{trustee, rights}
		if slices.Contains(m.Permissions, p) {
			return ErrConflict
		}
		m.Permissions = append(m.Permissions, p)
		c.log(d.permissionEntry(u, &who, rights, "Add"), d.permissionEntry(u, &who, rights, "Remove"))
		return nil
	})
}

// RemoveMailboxPermission is the reverse.
func (d *Directory) RemoveMailboxPermission(by By, owner, trustee ID, rights string) (*Change, error) {
	return d.changeMailbox(by, "remove mailbox permission", owner, false, func(m *Mailbox, u *User, c *Change) error {
		i := slices.Index(m.Permissions, MailboxPermission{trustee, rights})
		if i < 0 {
			return fmt.Errorf("%s of %s: %w", rights, trustee, ErrNotFound)
		}
		who, _ := d.userLocked(trustee)
		m.Permissions = slices.Delete(m.Permissions, i, i+1)
		c.log(d.permissionEntry(u, &who, rights, "Remove"), d.permissionEntry(u, &who, rights, "Add"))
		return nil
	})
}

// permissionEntry: entering a mailbox and sending as it are different cmdlets.
func (d *Directory) permissionEntry(u, who *User, rights, verb string) entry {
	if rights == "SendAs" {
		return entry{operation: verb + "-RecipientPermission", mailbox: d.mailboxName(u), params: [][2]string{{"Identity", u.UPN}, {"Trustee", who.UPN}, {"AccessRights", rights}}}
	}
	return entry{operation: verb + "-MailboxPermission", mailbox: d.mailboxName(u), params: [][2]string{{"Identity", u.UPN}, {"User", who.UPN}, {"AccessRights", rights}, {"InheritanceType", "All"}}}
}
