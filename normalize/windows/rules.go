// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule says what an event means.
type rule struct {
	class    ocsf.Class
	activity int32
	fields   members.Table
	finish   func(r *record, e *ocsf.Event)
}

// beside is the table for events whose data stands beside what all events have.
func (r *rule) beside(f *form) members.Table {
	if f.flat {
		return flatTables[r]
	}
	return f.envelope
}

// flatTables are made once: the fields of each rule, and what all events have.
var flatTables = func() map[*rule]members.Table {
	all := map[*rule]members.Table{unknown: flatEnvelope, cmdlet: members.Join(cmdlet.fields, flatEnvelope)}
	for _, events := range rules {
		for _, r := range events {
			all[r] = members.Join(r.fields, flatEnvelope)
		}
	}
	return all
}()

// activity_id of every class; Other is a type_id too.
const (
	unsaid = 0 // Unknown
	other  = 99
)

// unknown is what events that are not in [rules] are.
var unknown = &rule{class: ocsf.ClassBaseEvent}

// kind tells whose events' ids are meant: the same number is another event of another provider.
type kind uint8

const (
	noKind kind = iota
	security
	system // of the service control manager and the log itself
	powerShell
	sysmon
	adfs
	certificates // what becomes of the certificates of a machine
)

// providers are the kinds by the provider.
var providers = map[string]kind{
	"Microsoft-Windows-Security-Auditing": security, "Microsoft-Windows-Eventlog": system, "Service Control Manager": system,
	"Microsoft-Windows-PowerShell": powerShell, "PowerShellCore": powerShell, "Microsoft-Windows-Sysmon": sysmon,
	"AD FS Auditing": adfs, "Microsoft-Windows-CertificateServicesClient-Lifecycle-System": certificates,
}

// channels are the kinds by the channel, for records that do not name the provider.
var channels = map[string]kind{
	"Security": security, "System": system, "Microsoft-Windows-PowerShell/Operational": powerShell, "PowerShellCore/Operational": powerShell,
	"Microsoft-Windows-Sysmon/Operational": sysmon, "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational": certificates,
}

// classify finds the rule of an event.
func classify(r *record) *rule {
	k := providers[string(r.provider)]
	if k == noKind && len(r.provider) == 0 {
		k = channels[string(r.channel)]
	}
	if found, ok := rules[k][r.id]; ok {
		return found
	}
	return unknown
}

// The activities that are meant below (OCSF 1.8.0).
const (
	logon, logoff, ticket, serviceTicket, renewal, preauth      = 1, 2, 3, 4, 5, 6
	accountCreate, accountEnable, passwordChange, passwordReset = 1, 2, 3, 4
	accountDisable, accountDelete, accountLock, accountUnlock   = 5, 6, 9, 12
	memberAdd, memberRemove, groupDelete, groupCreate           = 3, 4, 5, 6
	entityCreate, entityUpdate, entityDelete, entityMove        = 1, 3, 4, 5
	logClear, logStop, logEnable, logDisable                    = 1, 7, 9, 10
	jobCreate, jobUpdate, jobDelete, jobEnable, jobDisable      = 1, 2, 3, 4, 5
	launch, terminate, execute, assign, connectionOpen, query   = 1, 2, 1, 1, 1, 1
	fileCreate, fileDelete, fileAttributes                      = 1, 4, 6
)

// rules are the events that are known.
var rules = map[kind]map[int64]*rule{
	security: index(
		row(rule{ocsf.ClassAuthentication, logon, signIn, authenticated}, 4624, 4625, 4648, 4776),
		row(rule{ocsf.ClassAuthentication, logoff, signIn, authenticated}, 4634, 4647),
		row(rule{ocsf.ClassAuthentication, ticket, signIn, kerberos}, 4768),
		row(rule{ocsf.ClassAuthentication, serviceTicket, signIn, kerberos}, 4769),
		row(rule{ocsf.ClassAuthentication, renewal, signIn, kerberos}, 4770),
		row(rule{ocsf.ClassAuthentication, preauth, signIn, kerberos}, 4771),
		row(rule{ocsf.ClassAuthorizeSession, assign, special, nil}, 4672),

		row(rule{ocsf.ClassAccountChange, accountCreate, accounts, nil}, 4720, 4741),
		row(rule{ocsf.ClassAccountChange, accountEnable, accounts, nil}, 4722),
		row(rule{ocsf.ClassAccountChange, passwordChange, accounts, nil}, 4723),
		row(rule{ocsf.ClassAccountChange, passwordReset, accounts, nil}, 4724),
		row(rule{ocsf.ClassAccountChange, accountDisable, accounts, nil}, 4725),
		row(rule{ocsf.ClassAccountChange, accountDelete, accounts, nil}, 4726, 4743),
		row(rule{ocsf.ClassAccountChange, other, accounts, nil}, 4738, 4742),
		row(rule{ocsf.ClassAccountChange, accountLock, lockout, nil}, 4740),
		row(rule{ocsf.ClassAccountChange, accountUnlock, accounts, nil}, 4767),

		// Of global, local and universal groups; security groups first, then distribution lists.
		row(rule{ocsf.ClassGroupManagement, groupCreate, groups, nil}, 4727, 4731, 4754, 4744, 4749, 4759),
		row(rule{ocsf.ClassGroupManagement, memberAdd, groups, nil}, 4728, 4732, 4756, 4746, 4751, 4761),
		row(rule{ocsf.ClassGroupManagement, memberRemove, groups, nil}, 4729, 4733, 4757, 4747, 4752, 4762),
		row(rule{ocsf.ClassGroupManagement, groupDelete, groups, nil}, 4730, 4734, 4758, 4748, 4753, 4763),
		row(rule{ocsf.ClassGroupManagement, other, groups, nil}, 4735, 4737, 4755, 4745, 4750, 4760),

		row(rule{ocsf.ClassEntityManagement, entityUpdate, objects, nil}, 5136),
		row(rule{ocsf.ClassEntityManagement, entityCreate, objects, nil}, 5137),
		row(rule{ocsf.ClassEntityManagement, entityMove, objects, nil}, 5139),
		row(rule{ocsf.ClassEntityManagement, entityDelete, objects, nil}, 5141),
		row(rule{ocsf.ClassEntityManagement, other, objects, nil}, 4662, 5138),
		row(rule{ocsf.ClassEntityManagement, entityCreate, services, service}, 4697),

		row(rule{ocsf.ClassScheduledJobActivity, jobCreate, tasks, nil}, 4698),
		row(rule{ocsf.ClassScheduledJobActivity, jobDelete, tasks, nil}, 4699),
		row(rule{ocsf.ClassScheduledJobActivity, jobEnable, tasks, nil}, 4700),
		row(rule{ocsf.ClassScheduledJobActivity, jobDisable, tasks, nil}, 4701),
		row(rule{ocsf.ClassScheduledJobActivity, jobUpdate, tasks, nil}, 4702),

		row(rule{ocsf.ClassProcessActivity, launch, created, nil}, 4688),
		row(rule{ocsf.ClassProcessActivity, terminate, exited, nil}, 4689),
		row(rule{ocsf.ClassEventLogActvity, other, subject, auditPolicy}, 4719),
		row(rule{ocsf.ClassEventLogActvity, logStop, subject, eventLog}, 1100),
		row(rule{ocsf.ClassEventLogActvity, logClear, subject, eventLog}, 1102),
	),
	system: index(
		row(rule{ocsf.ClassEventLogActvity, logClear, subject, eventLog}, 104, 1102),
		row(rule{ocsf.ClassEventLogActvity, logStop, subject, eventLog}, 1100),
		row(rule{ocsf.ClassEntityManagement, entityCreate, services, service}, 7045),
	),
	adfs: index(
		row(rule{ocsf.ClassAuthentication, logon, nil, federated}, 1200, 1201, 1202, 1203, 1210),
		row(rule{ocsf.ClassAccountChange, passwordChange, nil, federated}, 1204, 1205),
		row(rule{ocsf.ClassAuthentication, logoff, nil, federated}, 1206, 1207),

		row(rule{ocsf.ClassAuthentication, logon, placed(tokenIssued), legacy}, 299),
		row(rule{ocsf.ClassAuthentication, logon, placed(tokenRefused), legacy}, 411),
		row(rule{ocsf.ClassAuthentication, logon, placed(tokenAccepted), legacy}, 412),
		row(rule{ocsf.ClassAuthentication, logon, placed(notAuthorized), legacy}, 324),
		row(rule{ocsf.ClassAuthentication, logon, placed(headed), legacy}, 408, 409),
		row(rule{ocsf.ClassAuthentication, logon, placed(lockedOut), legacy}, 512, 515),
		row(rule{ocsf.ClassAccountChange, accountLock, placed(lockedOut), legacy}, 516),
		row(rule{ocsf.ClassEntityManagement, entityUpdate, placed(belongs), legacy}, 307, 308, 309, 310),
		row(rule{ocsf.ClassAccountChange, passwordChange, placed(headed), legacy}, 405, 406),
		row(rule{ocsf.ClassHTTPActivity, unsaid, placed(requestReceived), legacy}, 403),
		row(rule{ocsf.ClassHTTPActivity, unsaid, placed(responseSent), legacy}, 404),
		row(rule{ocsf.ClassBaseEvent, unsaid, placed(headed), legacy}, 410, 413),
		row(rule{ocsf.ClassBaseEvent, unsaid, placed(belongs), legacy}, 500, 501, 502, 503, 510),
	),
	certificates: index(
		row(rule{ocsf.ClassEntityManagement, other, exported, certificate}, 1007),
	),
	powerShell: index(
		row(rule{ocsf.ClassScriptActivity, execute, script, powerShellScript}, 4104),
	),
	sysmon: index(
		row(rule{ocsf.ClassProcessActivity, launch, sysmonProcess, nil}, 1),
		row(rule{ocsf.ClassFileActivity, fileAttributes, sysmonFile, nil}, 2),
		row(rule{ocsf.ClassNetworkActivity, connectionOpen, sysmonConnection, nil}, 3),
		row(rule{ocsf.ClassProcessActivity, terminate, sysmonProcess, nil}, 5),
		row(rule{ocsf.ClassFileActivity, fileCreate, sysmonFile, nil}, 11, 15),
		row(rule{ocsf.ClassDNSActivity, query, sysmonDNS, dns}, 22),
		row(rule{ocsf.ClassFileActivity, fileDelete, sysmonFile, nil}, 23, 26),
	),
}

// events is a rule, and the ids that it is of.
type events struct {
	rule *rule
	ids  []int64
}

func row(r rule, ids ...int64) events { return events{&r, ids} }

// index makes the rows findable by each of their ids.
func index(rows ...events) map[int64]*rule {
	m := map[int64]*rule{}
	for _, r := range rows {
		for _, id := range r.ids {
			if m[id] != nil {
				panic("windows: two rules for an id")
			}
			m[id] = r.rule
		}
	}
	return m
}
