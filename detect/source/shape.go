// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// shape is what a kind of record is told by: top-level members that all have to be there.
type shape struct {
	marks uint64
	tell  func(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource
}

// shapes are tried in this order: those first whose members say the most.
var shapes = []shape{
	{mEvent, windows},
	{mChannel | mEventID, windows},
	{mWinlog, windows},
	{mLowerChannel | mLowerEventID, windows},
	{mCreationTime | mRecordType, m365},
	{mEventName | mEventSource | mAWSRegion, only(cloudTrail)},
	{mEventName | mEventSource | mUserIdentity, only(cloudTrail)},
	{mProtoPayload, googleCloud},
	{mKind | mID, workspace},
	{mEventType | mOutcome, only(okta)},
	{mLowerEventType | mOutcome, only(okta)},
	{mFlatEventType | mFlatOutcome, only(okta)},
	{mType | mTimeGenerated, workspaceTable},
	{mOperationNameValue | mCategoryValue, only(activityLogs)},
	{mOperationName | mEventDataID, only(activityLogs)},
	{mOperationName | mCategory, azureMonitor},
	{mActivityName | mTargets, entraAudit},
	{mActivityName | mActivityTime, entraAudit},
	{mActivityTime | mChange, entraAudit},
	{mDetected | mRiskEventType, entraAudit},
	{mDetected | mRiskType, entraAudit},
	{mRiskUpdated, entraAudit},
	{mCreatedTime | mConditional, only(signInLogs)},
	{mODataType, graphObject},
	{mAction | mEntity | mContext, only(slack)},
	{mAction | mActor | mContext, only(slack)},
	{mAction | mActor | mOrg, only(gitHub)},
	{mAction | mActor | mRepo, only(gitHub)},
	{mAction | mActor | mCreatedAt, only(gitHub)},
	{mAction | mDocumentID, only(gitHub)},
}

const (
	mEvent uint64 = 1 << iota
	mChannel
	mEventID
	mWinlog
	mLowerChannel
	mLowerEventID
	mCreationTime
	mRecordType
	mAWSRegion
	mUserIdentity
	mEventName
	mEventSource
	mProtoPayload
	mKind
	mID
	mEventType
	mLowerEventType
	mFlatEventType
	mOutcome
	mFlatOutcome
	mType
	mTimeGenerated
	mOperationNameValue
	mCategoryValue
	mOperationName
	mEventDataID
	mCategory
	mActivityName
	mTargets
	mActivityTime
	mChange
	mDetected
	mRiskEventType
	mRiskType
	mRiskUpdated
	mCreatedTime
	mConditional
	mODataType
	mAction
	mActor
	mEntity
	mContext
	mOrg
	mRepo
	mCreatedAt
	mDocumentID
)

var marks = map[string]uint64{
	"Event": mEvent, "Channel": mChannel, "EventID": mEventID, "winlog": mWinlog, "channel": mLowerChannel, "event_id": mLowerEventID, // Windows
	"CreationTime": mCreationTime, "RecordType": mRecordType, // unified audit log
	"awsRegion": mAWSRegion, "userIdentity": mUserIdentity, "eventName": mEventName, "eventSource": mEventSource, // CloudTrail
	"protoPayload": mProtoPayload, "kind": mKind, "id": mID, // Google
	"eventType": mEventType, "eventtype": mLowerEventType, "eventType_s": mFlatEventType, "outcome": mOutcome, "outcome_result_s": mFlatOutcome, // Okta
	"Type": mType, "TimeGenerated": mTimeGenerated, "OperationNameValue": mOperationNameValue, "CategoryValue": mCategoryValue, // Log Analytics
	"operationName": mOperationName, "eventDataId": mEventDataID, "category": mCategory, // Azure Monitor
	"activityDisplayName": mActivityName, "targetResources": mTargets, "activityDateTime": mActivityTime, "changeId": mChange, // Microsoft Graph
	"detectedDateTime": mDetected, "riskEventType": mRiskEventType, "riskType": mRiskType, "riskLastUpdatedDateTime": mRiskUpdated,
	"createdDateTime": mCreatedTime, "conditionalAccessStatus": mConditional, "@odata.type": mODataType,
	"action": mAction, "actor": mActor, "entity": mEntity, "context": mContext, // Slack
	"org": mOrg, "repo": mRepo, "created_at": mCreatedAt, "_document_id": mDocumentID, // GitHub
}

// byShape tells a record by its top-level members.
func byShape(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	var seen uint64
	if v.Kind() == jsontape.Object {
		for c := v.First(); c.Exists(); c = c.Next() {
			seen |= marks[string(c.Key())]
		}
	}
	for i := range shapes {
		if s := &shapes[i]; seen&s.marks == s.marks {
			return s.tell(v, dst)
		}
	}
	return dst
}

// workspaceTable tells a row of a Log Analytics workspace.
func workspaceTable(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	return logAnalytics.with(v.Get("Type").Str(), dst)
}

func only(s sigma.LogSource) func(jsontape.Value, []sigma.LogSource) []sigma.LogSource {
	return func(_ jsontape.Value, dst []sigma.LogSource) []sigma.LogSource { return append(dst, s) }
}

// graphObject tells the objects of Microsoft Graph that say their type: the alerts of
// Privileged Identity Management.
func graphObject(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	const prefix, suffix = "#microsoft.graph.", "AlertIncident"
	t := v.Get("@odata.type").Str()
	if len(t) > len(prefix)+len(suffix) && string(t[:len(prefix)]) == prefix && string(t[len(t)-len(suffix):]) == suffix {
		return append(dst, pim)
	}
	return dst
}
