// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"iter"
	"strings"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// slot is a meaning that parameters have. Applications name the same thing in
// ways of their own ("USER_EMAIL", "affected_email_address", "member_id").
type slot uint8

const (
	sUser slot = iota
	sUserType
	sGroup
	sRole
	sRoleID
	sPrivilege
	sScopes
	sApp
	sAppID
	sClient
	sService
	sSetting
	sOrgUnit
	sDomain
	sDeviceID
	sDeviceName
	sSerial
	sDeviceType
	sModel
	sSystem
	sSystemVersion
	sFileID
	sFileName
	sFileType
	sOwner
	sNewValue
	sOldValue
	sFolder
	sVisibility
	sRule
	sRuleID
	sRuleType
	sSeverity
	sResourceID
	sResourceName
	sQuery
	sAddress
	sUserAgent
	sMethods
	sSecondFactor
	sChallenge
	sSuspicious
	sFailure
	sLoginType
	sSAMLStatus
	sForward
	sAccessLevel
	sMethod
	sAPI
	sMessage
	sMailEvent
	sState
	sStore
	sReason
	sURL
	sSession
	slots
)

// parameterSlots are the parameters by name, in lower case.
var parameterSlots = func() map[string]slot {
	m := map[string]slot{}
	for s, names := range slotNames {
		for name := range strings.FieldsSeq(names) {
			m[name] = slot(s)
		}
	}
	return m
}()

var slotNames = [slots]string{
	sUser:          "user_email affected_email_address target_user target_user_email member_id grantee_email event_guest device_user profile_user trigger_user target user_id target_users",
	sUserType:      "member_type identifier_type",
	sGroup:         "group_email group_id group_name whitelisted_groups room_id course_id",
	sRole:          "role_name member_role added_role",
	sRoleID:        "role_id",
	sPrivilege:     "privilege_name",
	sScopes:        "scope api_scopes scopes",
	sApp:           "application_name app_name oauth2_app_name mobile_app_package_id",
	sAppID:         "app_id client_id oauth2_app_id application_id extension_id",
	sClient:        "api_client_name",
	sService:       "service_name caa_application oauth2_service_name gsuite_product_name",
	sSetting:       "setting_name user_defined_setting_name managed_configuration_name info_type",
	sOrgUnit:       "org_unit_name orgunit_path",
	sDomain:        "secondary_domain_name domain_alias domain_name",
	sDeviceID:      "device_id directory_device_id caa_device_id company_device_id mobile_device_id",
	sDeviceName:    "device_name",
	sSerial:        "device_serial_number serial_number",
	sDeviceType:    "device_type",
	sModel:         "device_model",
	sSystem:        "device_platform os_edition",
	sSystemVersion: "os_version",
	sFileID:        "doc_id attachment_id",
	sFileName:      "doc_title attachment_name content_name",
	sFileType:      "doc_type",
	sOwner:         "owner resource_owner_email owner_email",
	sNewValue:      "new_value",
	sOldValue:      "old_value",
	sFolder:        "destination_folder_title",
	sVisibility:    "visibility_change",
	sRule:          "rule_name alert_name",
	sRuleID:        "rule_resource_name rule_id alert_id",
	sRuleType:      "rule_type",
	sSeverity:      "severity",
	sResourceID: "resource_id event_id message_id conference_id matter_id asset_id calendar_id note_name post_resource_name resource_identifier printer_id " +
		"email_log_search_msg_id play_for_work_token_id interop_gateway_id course_work_id asp_id request_id",
	sResourceName: "resource_title resource_name event_title calendar_title room_name meeting_code matter_name asset_name course_title printer_name gateway_name " +
		"quarantine_name product_name sku_name investigation_object_identifier mobile_wireless_network_name mobile_certificate_common_name web_address site_name",
	sQuery:        "query search_query investigation_query email_log_search_sender",
	sAddress:      "ip_address actor_ip_address",
	sUserAgent:    "user_agent",
	sMethods:      "login_challenge_method",
	sSecondFactor: "is_second_factor",
	sChallenge:    "login_challenge_status",
	sSuspicious:   "is_suspicious",
	sFailure:      "login_failure_type failure_type",
	sLoginType:    "login_type",
	sSAMLStatus:   "saml_status_code",
	sForward:      "email_forwarding_destination_address email_monitor_dest_email",
	sAccessLevel:  "access_level",
	sMethod:       "method_name",
	sAPI:          "api_name",
	sMessage:      "message_info",
	sMailEvent:    "event_info",
	sState:        "account_state application_state device_compromised_state membership_change_type caa_device_state",
	sStore:        "investigation_data_source",
	sReason:       "event_reason",
	sURL:          "url",
	sSession:      "session_id",
}

// facts are what an event's parameters say, by slot, and what of it an attribute
// carries in full.
type facts struct {
	rule        rule
	application []byte
	parameters  jsontape.Value
	at          [slots]jsontape.Value
	told        [slots]bool
}

// read finds the parameters; of several with one meaning the first.
func read(event jsontape.Value, application []byte) facts {
	f := facts{application: application, parameters: event.Get("parameters")}
	for name, v := range pairs(f.parameters) {
		if s, ok := slotOf(name); ok && !f.at[s].Exists() && !members.Blank(v) {
			f.at[s] = v
		}
	}
	return f
}

func slotOf(name []byte) (slot, bool) {
	var buf [64]byte
	b, ok := lower(buf[:0], name)
	if !ok {
		return 0, false
	}
	s, ok := parameterSlots[string(b)]
	return s, ok
}

// valueNames are the members that hold a parameter's value, by its type.
var valueNames = map[string]bool{
	"value": true, "intValue": true, "boolValue": true, "multiValue": true, "multiIntValue": true, "multiBoolValue": true, "multiStrValue": true,
	"messageValue": true, "multiMessageValue": true,
}

// pairs yields parameters with their names: of the API's list of named values,
// and of an object that a product made of it. A further member of a named value
// goes by its own name.
func pairs(list jsontape.Value) iter.Seq2[[]byte, jsontape.Value] {
	return func(yield func([]byte, jsontape.Value) bool) {
		for p := list.First(); p.Exists(); p = p.Next() {
			if list.Kind() == jsontape.Object {
				if !yield(p.Key(), p) {
					return
				}
				continue
			}
			name := p.Get("name").Str()
			if p.Kind() != jsontape.Object || len(name) == 0 {
				if !yield(nil, p) {
					return
				}
				continue
			}
			for m := p.First(); m.Exists(); m = m.Next() {
				key := m.Key()
				switch {
				case string(key) == "name":
					continue
				case valueNames[string(key)]:
					key = name
				}
				if !yield(key, m) {
					return
				}
			}
		}
	}
}

// single is the value, or the only element of a list.
func single(v jsontape.Value) (one jsontape.Value, only bool) {
	if v.Kind() != jsontape.Array {
		return v, v.Kind() < jsontape.Array
	}
	first := v.First()
	return first, first.Kind() < jsontape.Array && !first.Next().Exists()
}

// text returns the slot's value as text; of a list the first. What is only a
// dash says nothing.
func (f *facts) text(s slot) []byte {
	one, _ := single(f.at[s])
	if one.Kind() >= jsontape.Array {
		return nil
	}
	if t := one.Text(); string(t) != "-" {
		return t
	}
	return nil
}

// tell notes that an attribute carries the slot's value.
func (f *facts) tell(s slot) {
	if _, only := single(f.at[s]); only {
		f.told[s] = true
	}
}

// put sets the attribute from the slot and reports whether it says anything.
func (f *facts) put(p ocsf.Path, s slot, e *ocsf.Event) bool {
	t := f.text(s)
	if len(t) == 0 {
		return false
	}
	e.SetString(p, t)
	f.tell(s)
	return true
}

// truth returns the slot's boolean.
func (f *facts) truth(s slot) (is, ok bool) {
	one, _ := single(f.at[s])
	return one.Bool()
}

// leave keeps the parameters that no attribute carries.
func (f *facts) leave(e *ocsf.Event) {
	const prefix = "parameters."
	if f.parameters.Kind() != jsontape.Array && f.parameters.Kind() != jsontape.Object {
		if f.parameters.Exists() && !members.Blank(f.parameters) {
			e.Unmapped = append(e.Unmapped, ocsf.Member{Name: []byte("parameters"), Value: f.parameters.Raw()})
		}
		return
	}
	for name, v := range pairs(f.parameters) {
		if s, ok := slotOf(name); ok && f.told[s] && f.at[s] == v || members.Blank(v) {
			continue
		}
		var buf [256]byte
		b := append(append(buf[:0], prefix...), name...)
		e.Unmapped = append(e.Unmapped, ocsf.Member{Name: e.Own(unsafe.String(&b[0], len(b))), Value: v.Raw()})
	}
}
