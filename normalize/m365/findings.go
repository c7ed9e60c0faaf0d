// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// severities are OCSF's severity_id for the words of alerts and policies.
var severities = map[string]int64{"Informational": 1, "Information": 1, "Low": 2, "Medium": 3, "High": 4, "Critical": 5}

// handling is a finding's status_id: 1 New, 2 In Progress, 3 Suppressed,
// 4 Resolved.
var handling = map[string]int64{
	"Active": 1, "New": 1, "Investigating": 2, "InProgress": 2, "Running": 2, "Queued": 2, "Pending Action": 2, "PendingApproval": 2,
	"Resolved": 4, "Remediated": 4, "Completed": 4, "Dismissed": 3,
}

// finding sets what findings have in common: how bad, how far, and an id, which
// is the record's own if it names no better.
func (m *mapper) finding() {
	e := m.e
	if id, ok := severities[string(m.str(mSeverity))]; ok {
		e.SetInt(ocsf.PathSeverityID, id)
		m.carried[mSeverity] = true
	}
	if word := m.str(mStatus); len(word) > 0 {
		id, ok := handling[string(word)]
		if !ok {
			id = statusOther
		}
		e.SetInt(ocsf.PathStatusID, id)
		if id == statusOther {
			m.to(ocsf.PathStatus, mStatus)
		} else {
			m.to(ocsf.PathStatusCode, mStatus)
		}
	} else {
		e.SetInt(ocsf.PathStatusID, 1)
	}
	if e.Str(ocsf.PathFindingInfoUID) == nil {
		e.SetString(ocsf.PathFindingInfoUID, m.str(mID))
	}
	e.SetBool(ocsf.PathIsAlert, true)
}

func (m *mapper) alert() {
	e := m.e
	m.to(ocsf.PathFindingInfoUID, mAlertID)
	if m.to(ocsf.PathFindingInfoTitle, mAlertName) {
		e.SetString(ocsf.PathFindingInfoAnalyticName, m.str(mAlertName))
	}
	if m.to(ocsf.PathFindingInfoAnalyticUID, mPolicyID) || e.Str(ocsf.PathFindingInfoAnalyticName) != nil {
		e.SetInt(ocsf.PathFindingInfoAnalyticTypeID, 1)
	}
	m.finding()
	if s := m.str(mObjectID); bytes.Equal(s, m.str(mAlertID)) || bytes.Equal(s, m.str(mAlertEntityID)) {
		m.carried[mObjectID] = len(s) > 0
	}
	user := m.str(mAlertEntityID)
	if !field.Mail(user) {
		user = nil
	}
	if data := m.str(mData); len(data) > 0 {
		e.SetJSON(ocsf.PathEvidencesData, m.v[mData].Raw())
		m.carried[mData] = true
		root := m.jsonText(data)
		for _, key := range [...]string{"f3u", "suid", "eid", "trc"} { // from, subject, entity, recipient
			if s := root.Get(key).Str(); user == nil && field.Mail(s) {
				user = e.Own(unsafe.String(&s[0], len(s)))
			}
		}
	}
	if user != nil {
		e.SetString(ocsf.PathEvidencesUserName, user)
		e.SetString(ocsf.PathEvidencesUserEmailAddr, user)
	}
}

// threat: a mail, a click or a file that Defender for Office 365 judged.
func (m *mapper) threat() {
	e := m.e
	if file := m.v[mFileData]; file.Kind() == jsontape.Object {
		e.SetString(ocsf.PathFindingInfoTitle, file.Get("MalwareFamily").Str())
		m.evidenceFile(file.Get("FileName").Str(), file.Get("FilePath").Str(), file.Get("SHA256").Str())
	}
	if !m.to(ocsf.PathFindingInfoTitle, mVerdict) && e.Str(ocsf.PathFindingInfoTitle) == nil {
		e.SetString(ocsf.PathFindingInfoTitle, m.operation)
	}
	if s := m.str(mNetworkMessageID); len(s) > 0 {
		e.SetString(ocsf.PathFindingInfoUID, s)
		m.to(ocsf.PathEvidencesEmailUID, mNetworkMessageID)
	}
	if field.Mail(m.str(mP2Sender)) {
		m.to(ocsf.PathEvidencesEmailFrom, mP2Sender)
	}
	if to := m.v[mRecipients].First().Str(); field.Mail(to) {
		e.SetString(ocsf.PathEvidencesEmailTo, to)
	}
	for _, n := range [...]member{mDeliveryAction, mPolicyAction} {
		if d, ok := dispositions[string(m.str(n))]; ok {
			e.SetInt(ocsf.PathActionID, d.action)
			e.SetInt(ocsf.PathDispositionID, d.disposition)
			break
		}
	}
	m.finding()
}

// dispositions are what was done with a mail, as OCSF's action_id (1 Allowed, 2
// Denied, 4 Modified) and disposition_id (1 Allowed, 2 Blocked, 3 Quarantined,
// 5 Deleted, 11 Corrected, 18 Tagged).
var dispositions = map[string]struct{ action, disposition int64 }{
	"Blocked": {2, 2}, "Delivered": {1, 1}, "DeliveredAsSpam": {1, 18}, "Replaced": {4, 11},
	"Quarantine": {2, 3}, "MoveToJmf": {1, 18}, "Delete": {2, 5},
}

func (m *mapper) evidenceFile(name, path, sha256 []byte) {
	e := m.e
	if len(name) == 0 {
		name = base(path)
	}
	if len(name) == 0 {
		return
	}
	e.SetString(ocsf.PathEvidencesFileName, name)
	e.SetString(ocsf.PathEvidencesFilePath, path)
	e.SetInt(ocsf.PathEvidencesFileTypeID, 1)
	if len(sha256) == 64 {
		e.SetInt(ocsf.PathEvidencesFileHashesAlgorithmID, 3)
		e.SetString(ocsf.PathEvidencesFileHashesValue, sha256)
	}
}

// malware: SharePoint's scanner found some.
func (m *mapper) malware() {
	m.to(ocsf.PathFindingInfoTitle, mVirusInfo)
	m.evidenceFile(m.str(mSourceFileName), m.str(mObjectID), nil)
	m.carried[mSourceFileName] = len(m.str(mSourceFileName)) > 0
	m.carried[mObjectID] = len(m.str(mObjectID)) > 0
	m.finding()
}

// investigation: what Defender's automation looked into; Data holds the alert
// that began it.
func (m *mapper) investigation() {
	e := m.e
	m.to(ocsf.PathFindingInfoUID, mInvestigationID)
	alert := m.jsonText(m.str(mData))
	if name := alert.Get("AlertDisplayName").Str(); len(name) > 0 {
		e.SetText(ocsf.PathFindingInfoAnalyticName, unsafe.String(&name[0], len(name)))
		e.SetInt(ocsf.PathFindingInfoAnalyticTypeID, 1)
	}
	if id, ok := severities[string(alert.Get("Severity").Str())]; ok {
		e.SetInt(ocsf.PathSeverityID, id)
	}
	m.finding()
}

// risk: Entra ID Protection found a sign-in or a user risky.
func (m *mapper) risk() {
	e := m.e
	if !m.to(ocsf.PathFindingInfoTitle, mRiskEventType) {
		e.SetString(ocsf.PathFindingInfoTitle, m.operation)
	}
	m.to(ocsf.PathFindingInfoUID, mRiskID)
	m.finding()
	switch string(m.str(mRiskLevel)) {
	case "low", "Low":
		e.SetInt(ocsf.PathSeverityID, 2)
	case "medium", "Medium":
		e.SetInt(ocsf.PathSeverityID, 3)
	case "high", "High":
		e.SetInt(ocsf.PathSeverityID, 4)
	}
	name := m.str(mUserDisplayName)
	if m.to(ocsf.PathEvidencesUserName, mUserDisplayName) && field.Mail(name) {
		e.SetString(ocsf.PathEvidencesUserEmailAddr, name)
	}
	place := m.v[mLocation]
	e.SetString(ocsf.PathEvidencesSrcEndpointLocationCity, place.Get("City").Str())
	e.SetString(ocsf.PathEvidencesSrcEndpointLocationCountry, place.Get("CountryOrRegion").Str())
}

// dlp: a policy against data loss matched.
func (m *mapper) dlp() {
	e := m.e
	m.to(ocsf.PathFindingInfoUID, mIncidentID)
	policy := m.v[mPolicyDetails].First()
	rule := policy.Get("Rules").First()
	if match := m.v[mPolicyMatchInfo]; match.Kind() == jsontape.Object { // of an endpoint: both in one
		policy, rule = match, match
	}
	e.SetString(ocsf.PathFindingInfoTitle, policy.Get("PolicyName").Str())
	e.SetString(ocsf.PathDataSecurityPolicyName, policy.Get("PolicyName").Str())
	e.SetString(ocsf.PathDataSecurityPolicyUID, policy.Get("PolicyId").Str())
	e.SetInt(ocsf.PathDataSecurityDetectionSystemID, m.detectionSystem())
	if name := rule.Get("RuleName").Str(); len(name) > 0 {
		e.SetString(ocsf.PathFindingInfoAnalyticName, name)
		e.SetString(ocsf.PathFindingInfoAnalyticUID, rule.Get("RuleId").Str())
		e.SetInt(ocsf.PathFindingInfoAnalyticTypeID, 1)
	}
	m.finding()
	if id, ok := severities[string(rule.Get("Severity").Str())]; ok {
		e.SetInt(ocsf.PathSeverityID, id)
	}
	m.matched()
	m.redact()
}

// detectionSystem is OCSF's detection_system_id: 1 Endpoint, 6 Secure Email
// Gateway, 10 Application-Level DLP.
func (m *mapper) detectionSystem() int64 {
	switch m.typ {
	case 63, 108, 291:
		return 1
	case 13, 107, 289:
		return 6
	}
	return 10
}

// matched says what the policy matched: a file or a message.
func (m *mapper) matched() {
	e := m.e
	if f := m.v[mSharePointMetaData]; f.Kind() == jsontape.Object {
		name, path := f.Get("FileName").Str(), f.Get("FilePathUrl").Str()
		if len(name) == 0 {
			name = base(path)
		}
		e.SetString(ocsf.PathFileName, name)
		e.SetString(ocsf.PathFilePath, path)
		e.SetString(ocsf.PathFileOwnerName, f.Get("FileOwner").Str())
		e.SetInt(ocsf.PathFileTypeID, 1)
	}
	if f := m.v[mEndpointMetaData]; f.Kind() == jsontape.Object || m.detectionSystem() == 1 {
		if !m.to(ocsf.PathDeviceName, mDeviceName) {
			e.SetString(ocsf.PathDeviceName, f.Get("DeviceName").Str())
		}
		if object := m.str(mObjectID); len(object) > 0 {
			e.SetString(ocsf.PathFileName, base(object))
			m.to(ocsf.PathFilePath, mObjectID)
			e.SetInt(ocsf.PathFileTypeID, 1)
		}
	}
	if x := m.v[mExchangeMetaData]; x.Kind() == jsontape.Object {
		id := x.Get("MessageID").Str()
		e.SetString(ocsf.PathResourcesName, x.Get("Subject").Str())
		e.SetString(ocsf.PathResourcesUID, id)
		e.SetText(ocsf.PathResourcesType, "Email")
		m.carried[mObjectID] = len(id) > 0 && bytes.Equal(id, m.str(mObjectID))
	}
}

// redact takes from PolicyDetails the values that a policy found, which are the
// secrets that it protects: they stay in the sealed record and nowhere else.
func (m *mapper) redact() {
	v := m.v[mPolicyDetails]
	raw := v.Raw()
	if !bytes.Contains(raw, []byte("DetectedValues")) {
		return
	}
	m.carried[mPolicyDetails] = true
	m.e.Unmapped = append(m.e.Unmapped, ocsf.Member{Name: v.Key(), Value: appendRedacted(nil, v)})
	m.issue("PolicyDetails: the detected values are in the raw record only")
}

// appendRedacted appends v as JSON with every DetectedValues empty. It
// allocates: few records have any.
func appendRedacted(dst []byte, v jsontape.Value) []byte {
	open, end := byte('['), byte(']')
	switch v.Kind() {
	case jsontape.Object:
		open, end = '{', '}'
	case jsontape.Array:
	default:
		return append(dst, v.Raw()...)
	}
	dst = append(dst, open)
	for c := v.First(); c.Exists(); c = c.Next() {
		if len(dst) > 0 && dst[len(dst)-1] != open {
			dst = append(dst, ',')
		}
		if v.Kind() == jsontape.Object {
			dst = append(jsontape.AppendQuoted(dst, c.Key()), ':')
		}
		if string(c.Key()) == "DetectedValues" {
			dst = append(dst, "[]"...)
			continue
		}
		dst = appendRedacted(dst, c)
	}
	return append(dst, end)
}
