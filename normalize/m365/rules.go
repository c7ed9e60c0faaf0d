// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// rule says what a record is: its class, its activity and how to find what was
// acted upon.
type rule struct {
	class ocsf.Class
	// activity is the class's activity_id; byVerb takes it from the words of
	// the operation.
	activity int32
	target   target
	// detail is what the target needs to know besides: the privilege that an
	// operation hands out ("Owner"), the type of the thing ("Inbox Rule").
	detail string
}

const byVerb = -1

// group is a row of the tables of operations: operations that mean the same,
// separated by "|".
type group struct {
	rule
	operations string
}

// index makes the rows of a table findable by operation.
func index(groups []group) map[string]rule {
	m := make(map[string]rule)
	for _, g := range groups {
		for op := range strings.SplitSeq(g.operations, "|") {
			m[strings.TrimSpace(op)] = g.rule
		}
	}
	return m
}

// classify finds the rule for an operation of a record type: the tables of
// operations first, then what the record type is about, then cmdlets, and at
// last the words of the operation. known is false if only the words helped.
func classify(recordType int64, operation []byte) (r rule, known bool) {
	switch recordType {
	case 8:
		if r, ok := entraOperations[string(bytes.TrimRight(operation, ". "))]; ok {
			return r, true
		}
	case 2, 3, 19, 50:
		if r, ok := mailboxOperations[string(operation)]; ok {
			return r, true
		}
	case 63: // the endpoint's files are not SharePoint's, whose operations have the same names
	default:
		if r, ok := operations[string(operation)]; ok {
			return r, true
		}
	}
	if verb, _ := cmdlet(operation); verb != vOther {
		if r, ok := operations[string(operation)]; ok {
			return r, true
		}
		return rule{ocsf.ClassEntityManagement, activityOf(ocsf.ClassEntityManagement, verb), targetCmdlet, ""}, true
	}
	if t, ok := recordTypes[recordType]; ok && t.rule.class != 0 {
		return t.rule, t.whole
	}
	return rule{class: ocsf.ClassAPIActivity, activity: byVerb, target: targetResource}, false
}

// cmdlet splits the name of a PowerShell cmdlet ("Set-Mailbox") into what its
// verb means and its noun; vOther if it is none.
func cmdlet(operation []byte) (v verb, noun []byte) {
	i := bytes.IndexByte(operation, '-')
	if i < 3 || i+2 > len(operation) || bytes.IndexByte(operation, ' ') >= 0 {
		return vOther, nil
	}
	return cmdletVerbs[string(operation[:i])], operation[i+1:]
}

// verb is what an operation does, whatever it does it to.
type verb uint8

const (
	vOther verb = iota
	vCreate
	vRead
	vUpdate
	vDelete
	vSearch
	vImport
	vExport
	vShare
	vEnable
	vDisable
	vMove
)

// The approved verbs of PowerShell that Exchange and Purview use
// (https://learn.microsoft.com/powershell/scripting/developer/cmdlet/approved-verbs-for-windows-powershell-commands).
var cmdletVerbs = map[string]verb{
	"Add": vCreate, "New": vCreate, "Install": vCreate, "Start": vCreate, "Send": vCreate, "Copy": vCreate, "Register": vCreate, "Submit": vCreate, "Request": vCreate, "Upload": vCreate,
	"Get": vRead, "Test": vRead, "Measure": vRead, "Validate": vRead, "Preview": vRead, "Download": vRead, "Compare": vRead, "Read": vRead, "Show": vRead, "Find": vSearch, "Search": vSearch,
	"Set": vUpdate, "Update": vUpdate, "Write": vUpdate, "Restore": vUpdate, "Resume": vUpdate, "Suspend": vUpdate, "Stop": vUpdate, "Release": vUpdate, "Complete": vUpdate, "Approve": vUpdate,
	"Deny": vUpdate, "Invoke": vUpdate, "Undo": vUpdate, "Redo": vUpdate, "Upgrade": vUpdate, "Convert": vUpdate, "Grant": vUpdate, "Revoke": vUpdate, "Mount": vUpdate, "Dismount": vUpdate,
	"Connect": vUpdate, "Disconnect": vUpdate, "Initialize": vUpdate, "Rotate": vUpdate, "Publish": vUpdate, "Reset": vUpdate, "Retry": vUpdate, "Archive": vUpdate, "Execute": vUpdate, "Rename": vUpdate, "Edit": vUpdate, "Confirm": vUpdate,
	"Remove": vDelete, "Uninstall": vDelete, "Clear": vDelete, "Delete": vDelete, "Purge": vDelete, "Unregister": vDelete,
	"Import": vImport, "Export": vExport, "Enable": vEnable, "Disable": vDisable, "Move": vMove,
}

// words are the verbs that operations of other workloads are made of, in lower
// case.
var words = wordTable(map[verb]string{
	vCreate: "add added clone cloned copied copy create created creating creation draft enroll enrolled generate generated insert inserted install installed invite " +
		"invited new post posted provision provisioned record recorded register registered registration request requested save saved schedule scheduled send " +
		"sent start started submit submitted trigger triggered upload uploaded",
	vRead: "access accessed aggregate analyze analyzed attempt browse browsed call calls check checked click clicked discover discovered download downloaded fetch " +
		"fetched get impersonate list listed load loaded monitored open opened play played preview previewed print printed read retrieve seen test tested " +
		"validate validated validaterbac view viewed visit visited watched",
	vUpdate: "accept accepted applied apply approve approved archive archived assign assigned cancel canceled cancelled change changed classify close closed " +
		"complete completed configure configured convert converted customize customized edit edited escalate expire expired grant granted label " +
		"labeled lock locked mark marked migrated modified modify overridden override patch pin pinned publish published put react reacted refresh refreshed " +
		"reject rejected release released rename renamed reopen replied reply reset resolve resolved restore restored resume resumed revoke revoked rotate set " +
		"suspend suspended sync synced takeover transfer transferred unarchive unassign unlock unlocked unpublish update updated",
	vDelete: "clear cleared delete deleted deletion deprovision destroy drop harddelete leave left purge purged recycle recycled removal remove removed softdelete " +
		"uninstall uninstalled",
	vSearch:  "find queried query search searched",
	vImport:  "import imported",
	vExport:  "export exported",
	vShare:   "share shared sharing unshare",
	vEnable:  "activate activated allow allowed enable enabled",
	vDisable: "block blocked deactivate deactivated disable disabled",
	vMove:    "move moved",
})

func wordTable(lists map[verb]string) map[string]verb {
	m := make(map[string]verb)
	for v, list := range lists {
		for _, w := range strings.Fields(list) {
			m[w] = v
		}
	}
	return m
}

// verbOf tells what an operation does from its words, as they are written
// together ("FileDeletedFirstStage"), apart ("Delete user") or with marks
// between ("put_permissions"). A last word in the past tense decides
// ("SearchCreated"), then the first word, the last, any other.
func verbOf(operation []byte) verb {
	var first, middle, last verb
	var end []byte
	n := 0
	for rest := operation; len(rest) > 0; {
		var word []byte
		word, rest = nextWord(rest)
		if len(word) == 0 {
			continue
		}
		v := lowerWord(word)
		if n == 0 {
			first = v
		} else if middle == vOther {
			middle = v
		}
		last, end = v, word
		n++
	}
	switch {
	case last != vOther && bytes.HasSuffix(end, []byte("ed")), first == vOther && last != vOther:
		return last
	case first != vOther:
		return first
	}
	return middle
}

// nextWord returns the word that s begins with, empty if it begins with a mark.
func nextWord(s []byte) (word, rest []byte) {
	i := 0
	for i < len(s) && letter(s[i]) && (i == 0 || lower(s[i]) || !lower(s[i-1])) {
		i++
	}
	if i == 0 {
		return nil, s[1:]
	}
	return s[:i], s[i:]
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func lower(c byte) bool  { return c >= 'a' && c <= 'z' }

func lowerWord(word []byte) verb {
	var buf [16]byte
	if len(word) > len(buf) {
		return vOther
	}
	for i, c := range word {
		buf[i] = c | 0x20
	}
	return words[string(buf[:len(word)])]
}

// activities holds, by class, the activity_id of each verb from vCreate on; 99
// is Other.
var activities = map[ocsf.Class][12]int32{
	ocsf.ClassAPIActivity:          {99, 1, 2, 3, 4, 2, 1, 2, 3, 3, 3, 3},
	ocsf.ClassWebResourcesActivity: {99, 1, 2, 3, 4, 5, 6, 7, 8, 3, 3, 3},
	ocsf.ClassEntityManagement:     {99, 1, 2, 3, 4, 2, 1, 2, 3, 8, 9, 5},
	ocsf.ClassFileHosting:          {99, 1, 14, 3, 4, 14, 1, 2, 12, 3, 3, 7},
	ocsf.ClassDatastoreActivity:    {99, 6, 1, 2, 7, 4, 5, 1, 2, 2, 2, 2},
	ocsf.ClassGroupManagement:      {99, 6, 99, 99, 5, 99, 6, 99, 99, 99, 99, 99},
	ocsf.ClassAccountChange:        {99, 1, 99, 99, 6, 99, 1, 99, 99, 2, 5, 99},
	ocsf.ClassUserAccess:           {99, 1, 99, 1, 2, 99, 1, 99, 1, 1, 2, 99},
	ocsf.ClassApplicationLifecycle: {99, 1, 99, 8, 2, 99, 1, 99, 99, 6, 7, 99},
	ocsf.ClassDetectionFinding:     {1, 1, 1, 2, 3, 1, 1, 1, 1, 2, 2, 2},
	ocsf.ClassDataSecurityFinding:  {1, 1, 1, 2, 3, 1, 1, 1, 1, 2, 2, 2},
}

func activityOf(c ocsf.Class, v verb) int32 {
	if a, ok := activities[c]; ok {
		return a[v]
	}
	return 99
}
