// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// The activity_id of the classes in use (OCSF 1.8.0). 99 is Other in all.
const (
	other = 99

	accountCreate         = 1
	accountEnable         = 2
	accountPasswordChange = 3
	accountDisable        = 5
	accountDelete         = 6
	accountMFAEnable      = 10
	accountMFADisable     = 11
	accountUnlock         = 12

	authLogon  = 1
	authLogoff = 2

	entityCreate   = 1
	entityRead     = 2
	entityUpdate   = 3
	entityDelete   = 4
	entityMove     = 5
	entityEnroll   = 6
	entityUnenroll = 7
	entityEnable   = 8
	entityDisable  = 9

	accessAssign = 1
	accessRevoke = 2

	groupAddUser        = 3
	groupRemoveUser     = 4
	groupDelete         = 5
	groupCreate         = 6
	groupAddSubgroup    = 7
	groupRemoveSubgroup = 8

	emailSend    = 1
	emailReceive = 2

	webCreate = 1
	webRead   = 2
	webUpdate = 3
	webDelete = 4
	webSearch = 5
	webImport = 6
	webExport = 7
	webShare  = 8

	appInstall = 1
	appRemove  = 2
	appEnable  = 6
	appDisable = 7
	appUpdate  = 8

	apiCreate = 1
	apiRead   = 2
	apiUpdate = 3
	apiDelete = 4

	storeRead  = 1
	storeQuery = 4

	hostUpload      = 1
	hostDownload    = 2
	hostUpdate      = 3
	hostDelete      = 4
	hostRename      = 5
	hostCopy        = 6
	hostMove        = 7
	hostRestore     = 8
	hostPreview     = 9
	hostLock        = 10
	hostUnlock      = 11
	hostShare       = 12
	hostUnshare     = 13
	hostOpen        = 14
	hostSync        = 15
	hostAccessCheck = 17

	findingCreate = 1
	findingClose  = 3
)

// Activities that a row leaves to what the record says.
const (
	byVerb         = -1 - iota // a word in the event's name
	bySharing                  // new_value: whether anybody has access from now on
	byGrant                    // access_level: the same of a calendar
	byToggle                   // NEW_VALUE: on or off
	byRegistration             // ACCOUNT_STATE of a device
	byAppState                 // APPLICATION_STATE on a device
	byCompromise               // DEVICE_COMPROMISED_STATE
	byRuleType                 // rule_type: loss of data is a class of its own
	byMember                   // member_type: a member that is a group
	byDirection                // who wrote the message
	byResponse                 // method_name of an API's call
)

// verb is what a word of an event's name says.
type verb uint8

const (
	noVerb verb = iota
	vCreate
	vRead
	vUpdate
	vDelete
	vMove
	vEnroll
	vUnenroll
	vEnable
	vDisable
	vSearch
	vExport
	vImport
	vShare
)

// verbs are the words of events' names, in lower case. What follows "add to" and
// "remove from" is a list, which is thereby updated.
var verbs = words(map[verb]string{
	vCreate:   "add added create created insert inserted generate generated request requested register registered invite invited posted published uploaded upload join joined start started accept provision provisioning claim sent grant",
	vRead:     "view viewed read get list download downloaded downloads see watched preview access accessed query print open opened drilldown",
	vUpdate:   "change changed changes update updated updates edit edited rename renamed toggle set unset modify modified reorder reassign verify verification skip issue send resend cancel cancelled release convert conversion assign assigned assignment unassign apply applied archive archived unarchive restored restore trigger triggered resolved reset repair sync redeemed reconciled transfer transferred reinvite mark scored graded provisioned authorize complete completed reopen reopened close closed commented responded answered selected undelete regenerate",
	vDelete:   "delete deleted deletion remove removed drop revoke revoked trash wipe wiped purge reject rejected deprovision expired unassigned discard",
	vMove:     "move moved",
	vEnroll:   "enroll enrolled enrollment",
	vUnenroll: "unenroll unenrolled",
	vEnable:   "enable enabled enforce allow allowed unblock unblocked approve approved trust resume unsuspend activate",
	vDisable:  "disable disabled block blocked disallow untrust suspend pause deactivate",
	vSearch:   "search searched",
	vExport:   "export exported exports",
	vImport:   "import imported",
	vShare:    "share shared",
})

func words(lists map[verb]string) map[string]verb {
	m := map[string]verb{}
	for v, list := range lists {
		for _, w := range bytes.Fields([]byte(list)) {
			m[string(w)] = v
		}
	}
	return m
}

// verbActivities are the activity_id that a verb is, by class; what is not
// there is Other.
var verbActivities = map[ocsf.Class]map[verb]int32{
	ocsf.ClassEntityManagement: {
		vCreate: entityCreate, vRead: entityRead, vUpdate: entityUpdate, vDelete: entityDelete, vMove: entityMove, vEnroll: entityEnroll,
		vUnenroll: entityUnenroll, vEnable: entityEnable, vDisable: entityDisable, vSearch: entityRead, vExport: entityRead, vImport: entityCreate, vShare: entityUpdate,
	},
	ocsf.ClassWebResourcesActivity: {
		vCreate: webCreate, vRead: webRead, vUpdate: webUpdate, vDelete: webDelete, vMove: webUpdate, vEnable: webUpdate, vDisable: webUpdate,
		vSearch: webSearch, vExport: webExport, vImport: webImport, vShare: webShare, vEnroll: webUpdate, vUnenroll: webUpdate,
	},
	ocsf.ClassAPIActivity: {
		vCreate: apiCreate, vRead: apiRead, vUpdate: apiUpdate, vDelete: apiDelete, vMove: apiUpdate, vEnable: apiUpdate, vDisable: apiUpdate,
		vSearch: apiRead, vExport: apiRead, vImport: apiCreate, vShare: apiUpdate,
	},
	ocsf.ClassFileHosting: {
		vCreate: hostUpload, vRead: hostOpen, vUpdate: hostUpdate, vDelete: hostDelete, vMove: hostMove, vExport: hostDownload, vImport: hostUpload,
		vShare: hostShare, vEnable: hostUpdate, vDisable: hostUpdate,
	},
	ocsf.ClassAccountChange:        {vCreate: accountCreate, vDelete: accountDelete, vEnable: accountEnable, vDisable: accountDisable},
	ocsf.ClassApplicationLifecycle: {vCreate: appInstall, vDelete: appRemove, vUpdate: appUpdate, vEnable: appEnable, vDisable: appDisable},
	ocsf.ClassUserAccess:           {vCreate: accessAssign, vDelete: accessRevoke},
	ocsf.ClassDetectionFinding:     {vCreate: findingCreate},
}

// verbOf returns the first verb in a name of words in any case, between
// underscores.
func verbOf(name []byte) verb {
	var buf [32]byte
	var previous verb
	for rest := name; len(rest) > 0; {
		word := rest
		if i := bytes.IndexByte(rest, '_'); i >= 0 {
			word, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		b, ok := lower(buf[:0], word)
		if !ok {
			continue
		}
		switch {
		case previous != noVerb && (string(b) == "to" || string(b) == "from"):
			return vUpdate
		case previous != noVerb:
			return previous
		}
		previous = verbs[string(b)]
	}
	return previous
}

// lower appends s in lower case; ok is false for what is longer than any name
// here.
func lower(dst, s []byte) (b []byte, ok bool) {
	if len(s) > cap(dst) {
		return nil, false
	}
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst, true
}
