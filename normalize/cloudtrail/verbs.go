// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import "strings"

// OCSF activity_id of API Activity.
const (
	creates = 1
	reads   = 2
	updates = 3
	deletes = 4
	other   = 99
)

// verbs are the words that operations begin with, by what they do.
var verbs = func() map[string]int32 {
	m := map[string]int32{}
	for activity, list := range map[int32]string{
		creates: "Admin Allocate Build Clone Copy Create Deploy Duplicate Fork Generate Import Index Ingest Initiate Insert Invite Issue Launch New Open Order Post Prepare Provision Publish Purchase Queue Record Register Replicate Request Restore " +
			"Run Schedule Send Sign Signal Submit Subscribe Synthesize Translate Transcribe Upload",
		reads: "Analyze Assess Authenticate Bulk Calculate Check Classify Compare Consume Contains Count Credential Decode Decrypt Derive Describe Detect Discover Download Enumerate Estimate Evaluate Export Filter Find Get Has Head Identify Infer " +
			"Inspect Is List Locate Lookup Match Peek Poll Predict Preview Query Read Receive Recognize Resolve Retrieve Sample Scan Search Select Simulate Stream Summarize Test Validate Verify View Watch Where",
		updates: "Accept Acknowledge Activate Add Adjust Allow Append Apply Approve Archive Assign Associate Attach Authorize Backtrack Batch Begin Block Bundle Cancel Change Claim Close Commit Complete Configure Confirm Continue Connect Converse Convert Invoke Deactivate Decline " +
			"Decrease Defer Define Deny Detach Disable Disassociate Disconnect Dismiss Edit Enable Encrypt End Enroll Enter Exchange Execute Exit Extend Failover Finalize Finish Flush Grant Increase Increment Initialize Install Join Leave Link Load Lock Log Map Mark " +
			"Merge Migrate Modify Monitor Mount Move Notify Optimize Override Pause Perform Pin Place Process Promote Propagate Put Re Reactivate Rebalance Reboot Rebuild Refresh Reject Remove Rename Renew Reorder Replace Report Reset Resend Resize Respond Restart Restrict " +
			"Resume Retry Return Review Revoke Roll Rollback Rotate Save Set Share Skip Split Start Stop Suspend Swap Switch Sync Synchronize Tag Toggle Transact Transfer Unarchive Unassign Unblock Undo Unlink Unlock Unmonitor Unpin Unshare Untag Unsuspend Update Upgrade Use Vote Write Wake Warm",
		deletes: "Abort Clear Delete Deprecate Deprovision Deregister Destroy Discard Drop Erase Expire Forget Purge Release Retire Terminate Uninstall Unpublish Unregister Unsubscribe",
	} {
		for word := range strings.FieldsSeq(list) {
			m[word] = activity
		}
	}
	return m
}()

// done are the last words of what services report of themselves
// ("SharedSnapshotVolumeCreated").
var done = map[string]int32{
	"Created": creates, "Started": creates, "Launched": creates, "Generated": creates, "Invoked": creates, "Result": updates, "Updated": updates, "Modified": updates, "Changed": updates, "Completed": updates, "Failed": updates, "Succeeded": updates,
	"Rotated": updates, "Rotation": updates, "Enabled": updates, "Disabled": updates, "Attached": updates, "Detached": updates, "Stopped": updates, "Deleted": deletes, "Deletion": deletes, "Delete": deletes, "Terminated": deletes, "Removed": deletes, "Expired": deletes, "Abandoned": updates,
}

// verbOf says what an operation does from its name ("DescribeInstances",
// "BatchGetSecretValue", "ListFunctions20150331"). ok is false if no word of it
// is known.
func verbOf(name string) (activity int32, ok bool) {
	word, rest := cut(name)
	if word == "Batch" || word == "Bulk" || word == "Admin" || word == "Cancel" && rest == "" {
		if second, _ := cut(rest); second != "" {
			if activity, ok := verbs[second]; ok {
				return activity, true
			}
		}
	}
	if activity, ok := verbs[word]; ok {
		return activity, true
	}
	i := len(name)
	for i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z') {
		i--
	}
	if i > 0 {
		activity, ok = done[name[i-1:]]
	}
	return activity, ok
}

// cut returns the first word of a name in camel case, and the rest.
func cut(name string) (word, rest string) {
	i := 1
	for i < len(name) && name[i] >= 'a' && name[i] <= 'z' {
		i++
	}
	if i > len(name) {
		return name, ""
	}
	return name[:i], name[i:]
}

// unversioned takes off the version that some operations of Lambda and
// CloudFront carry: eight digits, and what follows them ("20150331v2",
// "2020_05_31").
func unversioned(name string) string {
	for i := 1; i+4 <= len(name); i++ {
		if name[i] == '2' && name[i+1] == '0' && digit(name[i+2]) && digit(name[i+3]) {
			return name[:i]
		}
	}
	return name
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
