// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/normalize/windows"
)

const audit = `<?xml version="1.0" encoding="utf-16"?>
<AuditBase xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="FreshCredentialAudit"><AuditType>FreshCredentials</AuditType><AuditResult>%s</AuditResult>
<FailureType>%s</FailureType><ErrorCode>%s</ErrorCode><ContextComponents><Component xsi:type="ResourceAuditComponent"><RelyingParty>urn:shop</RelyingParty><UserId>CORP\ann</UserId></Component>
<Component xsi:type="RequestAuditComponent"><AuthProtocol>%s</AuthProtocol><IpAddress>%s</IpAddress><UserAgentString>Browser/1</UserAgentString><MfaPerformed>true</MfaPerformed></Component></ContextComponents></AuditBase>`

// TestFederation: the audits of AD FS are read wherever a form has their text.
func TestFederation(t *testing.T) {
	for _, test := range []struct {
		id                                    int
		result, why, code, protocol, ip, want string
	}{
		{1200, "Success", "None", "N/A", "SAMLP", "203.0.113.9", `"activity_id":1 "status_id":1 "auth_protocol_id":5 "is_mfa":true "ip":"203.0.113.9" "domain":"CORP" "name":"ann" "name":"urn:shop" "user_agent":"Browser/1"`},
		{1203, "Failure", "CredentialValidationError", "N/A", "WSFederation", "203.0.113.9,10.0.0.1", `"activity_id":1 "status_id":2 "status_detail":"CredentialValidationError" "auth_protocol":"WSFederation" "ip":"203.0.113.9"`},
		{1206, "Success", "None", "N/A", "OAuth", "N/A", `"activity_id":2 "status_id":1 "auth_protocol_id":6`},
		{1207, "Failure", "GenericError", "E1", "N/A", "N/A", `"activity_id":2 "status_id":2 "status_code":"E1"`},
		{1210, "Failure", "ExtranetLockoutError", "AccountRestrictedAudit", "WSFederation", "203.0.113.9,10.0.0.1", `"class_uid":3002 "activity_id":1 "status_id":2 "status_code":"AccountRestrictedAudit" "status_detail":"ExtranetLockoutError" "ip":"203.0.113.9" "domain":"CORP" "name":"ann"`},
		{1205, "Failure", "None", "N/A", "N/A", "2001:db8::1", `"class_uid":3001 "activity_id":3 "status_id":2 "ip":"2001:db8::1" "name":"ann"`},
	} {
		text := fmt.Sprintf(audit, test.result, test.why, test.code, test.protocol, test.ip)
		for form := range forms {
			name := "param2"
			if form == "NXLog" || form == "SecurityEvent" {
				name = "Message"
			}
			raw := write(form, test.id, "AD FS Auditing", security, name, text)
			got := string(sourcetest.Event(t, windows.Source, raw).AppendJSON(nil))
			for _, part := range strings.Fields(test.want) {
				if !strings.Contains(got, part) {
					t.Errorf("%s, %d: no %s in %s", form, test.id, part, got)
				}
			}
		}
	}
}
