// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package verb tells what an operation does from the words of its name, for
// vendors who name operations by a rule ("group.lifecycle.create",
// "private_channel_created") and keep adding to them: an operation that no
// table names yet is understood if its verb is.
package verb

import (
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// Verb is what an operation does.
type Verb uint8

const (
	Other Verb = iota // none that is known
	Create
	Read
	Update
	Delete
	Move
	Add    // to something that is there: a member, a grant
	Remove // from it
	Assign // a right
	Revoke
	Enroll
	Unenroll
	Enable
	Disable
	Activate
	Deactivate
	Suspend
	Resume
	Search
	Import
	Export
	Share
	Unshare
	Start
	Stop
	Lock
	Unlock
	Rename
	Restore
	Download
	verbs
)

// words are the verbs in the forms in which names have them.
var words = table(map[Verb]string{
	Create: "create created new generate generated regenerated register registered issue issued insert post posted clone cloned duplicate duplicated " +
		"upload uploaded send sent scheduled request requested initiate initiated invite invited copy copied provision provisioned bootstrap",
	Read: "read view viewed reveal revealed show listed get fetch fetched open opened preview previewed validate " +
		"verify check checked discover discovered detect detected matched query queried lookup evaluate evaluated",
	Update: "update updated upsert upserted change changed changes modify modified edit edited set configure configured renew renewed rotate rotated  refresh " +
		"refreshed sync synced reset confirm confirmed ignore ignored approve approved deny denied reject rejected cancel canceled cancelled resolve resolved " +
		"expire expired accept accepted decline declined convert converted upgrade upgraded downgrade downgraded merge merged transfer transferred archive archived " +
		"unarchive unarchived reassign reassigned reverted overwrite migrate migrated mark flagged dismissed moderated redacted cleared " +
		"clear apply applied save saved reauthorize verified unverified aliased rebound bypassed decide remediate promote reorder reordered assignment unassignment",
	Delete:     "delete deleted destroy purge purged tombstoned cleanup",
	Move:       "move moved",
	Add:        "add added join joined append",
	Remove:     "remove removed leave left removal",
	Assign:     "grant granted assign assigned authorize authorized bind",
	Revoke:     "revoke revoked unassign unassigned",
	Enroll:     "enroll enrolled",
	Unenroll:   "unenroll unenrolled",
	Enable:     "enable enabled unrestricted reactivate reactivated allow publish published",
	Disable:    "disable disabled disallow block blocked restrict restricted unpublish unpublished",
	Activate:   "activate activated",
	Deactivate: "deactivate deactivated invalidate invalidated",
	Suspend:    "suspend suspended hold pause paused",
	Resume:     "resume resumed unsuspend",
	Search:     "search searched",
	Import:     "import imported",
	Export:     "export exported",
	Share:      "share shared forward forwarded",
	Unshare:    "unshare unshared",
	Start:      "start started launch launched run connect connected reconnect reconnected execute executed",
	Stop:       "stop stopped end ended disconnect disconnected finish finished close closed complete completed",
	Lock:       "lock locked",
	Unlock:     "unlock unlocked",
	Rename:     "rename renamed",
	Restore:    "restore restored undeleted",
	Download:   "download downloaded",
})

func table(lists map[Verb]string) map[string]Verb {
	m := make(map[string]Verb)
	for v, list := range lists {
		for w := range strings.FieldsSeq(list) {
			m[w] = v
		}
	}
	return m
}

// Of returns the verb of a name whose words stand apart by dots, underscores
// or hyphens: the last that is one, since names go from the thing to what
// became of it. Case counts.
func Of(name []byte) Verb {
	end := len(name)
	for i := end - 1; i >= -1; i-- {
		if i >= 0 && name[i] != '.' && name[i] != '_' && name[i] != '-' {
			continue
		}
		if v := words[string(name[i+1:end])]; v != Other {
			return v
		}
		end = i
	}
	return Other
}

const other = 99 // activity_id Other, in every class

// activities holds, by class, the activity_id of verbs; those it leaves out are
// Other. Classes that it leaves out have activities of their own kind.
var activities = map[ocsf.Class][verbs]int32{
	ocsf.ClassAccountChange: {
		Create: 1, Add: 1, Import: 1, Enroll: 1, Enable: 2, Activate: 2, Resume: 2, Disable: 5, Deactivate: 5, Suspend: 5, Delete: 6, Remove: 6, Lock: 9, Unlock: 12, Restore: 2,
	},
	ocsf.ClassEntityManagement: {
		Create: 1, Add: 1, Import: 1, Share: 3, Read: 2, Search: 2, Export: 2, Update: 3, Assign: 3, Unshare: 3, Delete: 4, Remove: 4, Move: 5, Enroll: 6, Unenroll: 7,
		Enable: 8, Disable: 9, Activate: 10, Start: 10, Deactivate: 11, Revoke: 11, Stop: 11, Suspend: 12, Resume: 13, Lock: 9, Unlock: 8, Rename: 5, Restore: 3, Download: 2,
	},
	ocsf.ClassUserAccess: {
		Create: 1, Add: 1, Assign: 1, Enable: 1, Activate: 1, Share: 1, Delete: 2, Remove: 2, Revoke: 2, Disable: 2, Deactivate: 2, Unshare: 2, Restore: 1,
	},
	ocsf.ClassGroupManagement: {Assign: 1, Revoke: 2, Add: 3, Remove: 4, Delete: 5, Create: 6, Import: 6},
	ocsf.ClassWebResourcesActivity: {
		Create: 1, Add: 1, Read: 2, Update: 3, Move: 3, Enable: 3, Disable: 3, Activate: 3, Deactivate: 3, Assign: 3, Revoke: 3, Lock: 3, Unlock: 3, Start: 3, Stop: 3,
		Delete: 4, Remove: 4, Search: 5, Import: 6, Export: 7, Share: 8, Unshare: 3, Rename: 3, Restore: 1, Download: 2,
	},
	ocsf.ClassApplicationLifecycle: {
		Create: 1, Add: 1, Enroll: 1, Delete: 2, Remove: 2, Unenroll: 2, Start: 3, Stop: 4, Enable: 6, Activate: 6, Resume: 6, Assign: 6, Disable: 7, Deactivate: 7,
		Suspend: 7, Revoke: 7, Update: 8, Move: 8, Share: 8, Unshare: 8, Rename: 8, Restore: 1,
	},
	ocsf.ClassAPIActivity: {
		Create: 1, Add: 1, Import: 1, Assign: 1, Share: 1, Read: 2, Search: 2, Export: 2, Update: 3, Move: 3, Enable: 3, Disable: 3, Activate: 3, Deactivate: 3, Delete: 4,
		Remove: 4, Revoke: 4, Unshare: 4, Rename: 3, Restore: 3, Download: 2,
	},
	ocsf.ClassDatastoreActivity: {Create: 6, Add: 6, Import: 5, Read: 1, Export: 1, Search: 4, Update: 2, Move: 2, Delete: 7, Remove: 7, Rename: 2, Restore: 2, Download: 1},
	ocsf.ClassFileHosting: {
		Create: 1, Import: 1, Export: 2, Update: 3, Delete: 4, Remove: 13, Move: 7, Read: 14, Lock: 10, Unlock: 11, Share: 12, Add: 12, Assign: 12, Enable: 12, Unshare: 13,
		Revoke: 13, Disable: 13, Rename: 5, Restore: 8, Download: 2, Resume: 8,
	},
}

// Activity returns the activity_id that the verb is in a class.
func Activity(c ocsf.Class, v Verb) int32 {
	if list, ok := activities[c]; ok && list[v] != 0 {
		return list[v]
	}
	return other
}
