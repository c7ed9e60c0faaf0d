// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// resolve returns class and activity, which a rule may leave to what the event
// says.
func (f *facts) resolve(name []byte) (ocsf.Class, int32) {
	class := f.rule.class
	switch f.rule.activity {
	case byVerb:
		return class, byVerbOf(class, verbOf(name))
	case byResponse:
		return class, byVerbOf(class, methodVerb(f.text(sMethod)))
	case bySharing:
		return class, pick(f.revoked(), hostUnshare, hostShare)
	case byGrant:
		return class, pick(string(f.text(sAccessLevel)) == "none", accessRevoke, accessAssign)
	case byToggle:
		if on, ok := f.truth(sNewValue); ok {
			return class, pick(on, entityEnable, entityDisable)
		}
		return class, entityUpdate
	case byRegistration:
		return class, pick(bytes.Contains(f.text(sState), []byte("UNREGISTERED")), entityUnenroll, entityEnroll)
	case byAppState:
		switch string(f.text(sState)) {
		case "INSTALLED":
			return class, appInstall
		case "DELETED", "UNINSTALLED":
			return class, appRemove
		}
		return class, appUpdate
	case byCompromise:
		return class, pick(string(f.text(sState)) == "NOT_COMPROMISED", findingClose, findingCreate)
	case byRuleType:
		if string(f.text(sRuleType)) == "DLP" {
			class = ocsf.ClassDataSecurityFinding
		}
		return class, findingCreate
	case byMember:
		remove := bytes.HasPrefix(name, []byte("remove"))
		if bytes.EqualFold(f.text(sUserType), []byte("group")) {
			return class, pick(remove, groupRemoveSubgroup, groupAddSubgroup)
		}
		return class, pick(remove, groupRemoveUser, groupAddUser)
	case byDirection:
		return class, emailReceive // until the message says who wrote it
	}
	return class, f.rule.activity
}

func pick(first bool, a, b int32) int32 {
	if first {
		return a
	}
	return b
}

func byVerbOf(class ocsf.Class, v verb) int32 {
	if activity, ok := verbActivities[class][v]; ok {
		return activity
	}
	return other
}

// methods are the last words of names of Google's APIs ("files.list"), which
// all APIs share.
var methods = map[string]verb{
	"get": vRead, "list": vRead, "search": vRead, "query": vRead, "watch": vRead, "export": vRead, "download": vRead, "batchGet": vRead, "lookup": vRead,
	"insert": vCreate, "create": vCreate, "copy": vCreate, "import": vCreate, "send": vCreate, "append": vCreate, "upload": vCreate, "quickAdd": vCreate,
	"update": vUpdate, "patch": vUpdate, "modify": vUpdate, "batchUpdate": vUpdate, "move": vUpdate, "trash": vUpdate, "untrash": vUpdate, "batchModify": vUpdate,
	"delete": vDelete, "remove": vDelete, "clear": vDelete, "batchDelete": vDelete,
}

// methodVerb says what a call of an API did. The names of the older protocols
// ("caldav.report") and of some APIs begin with the verb ("GetMessage").
func methodVerb(method []byte) verb {
	last := method[bytes.LastIndexByte(method, '.')+1:]
	if v, ok := methods[string(last)]; ok {
		return v
	}
	for _, p := range [...]struct {
		prefix string
		verb   verb
	}{
		{"get", vRead},
		{"list", vRead},
		{"search", vRead},
		{"query", vRead},
		{"fetch", vRead},
		{"read", vRead},
		{"batchget", vRead},
		{"find", vRead},
		{"propfind", vRead},
		{"report", vRead},
		{"create", vCreate},
		{"insert", vCreate},
		{"add", vCreate},
		{"send", vCreate},
		{"put", vUpdate},
		{"update", vUpdate},
		{"patch", vUpdate},
		{"set", vUpdate},
		{"modify", vUpdate},
		{"delete", vDelete},
		{"remove", vDelete},
	} {
		if len(last) >= len(p.prefix) && bytes.EqualFold(last[:len(p.prefix)], []byte(p.prefix)) {
			return p.verb
		}
	}
	return noVerb
}

// revoked reports whether a change of access leaves nobody with access: the new
// value is none, the document is private, the member is removed.
func (f *facts) revoked() bool {
	if bytes.HasPrefix(f.text(sState), []byte("remove")) {
		return true
	}
	switch string(f.text(sNewValue)) {
	case "none", "private":
		return true
	}
	return false
}
