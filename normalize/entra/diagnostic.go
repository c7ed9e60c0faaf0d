// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"bytes"
	"slices"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Diagnostic is a record that a diagnostic setting of Entra ID streams.
var Diagnostic = source.Source{
	Family:   "entra-diagnostic",
	Detect:   isDiagnostic,
	Members:  []string{"category"},
	Identify: identifyDiagnostic,
	Activity: diagnosticActivity,
	Map:      mapDiagnostic,
	// Of records that come again, 3 to 4 in a hundred and up to four times, only the time in the envelope is new.
	Delivery: []string{"time"},
	Drift: func(root jsontape.Value) (source.Drift, bool) {
		kind, known := kindOfRecord(root)
		if !known {
			category := root.Get("category").Str()
			return source.Drift{Family: "entra-diagnostic", RecordType: string(category), Operation: string(root.Get("operationName").Str()), New: "record type"}, true
		}
		if kind == &auditLogs {
			return auditDrift("entra-diagnostic", root.Get("properties"))
		}
		return source.Drift{}, false
	},
}

// kind is what the records of a category are.
type kind struct {
	// identify reads the facts of the object.
	identify func(object jsontape.Value) source.Identity
	// fill maps the object; names of what it leaves begin with prefix.
	fill func(object jsontape.Value, e *ocsf.Event, prefix string)
	// operation is the act's name where the object has none, and log what
	// Microsoft Graph calls the collection.
	operation, log string
}

var (
	signIns      = kind{func(p jsontape.Value) source.Identity { return identify(p, "createdDateTime") }, mapSignin, "Sign-in activity", "signIns"}
	auditLogs    = kind{func(p jsontape.Value) source.Identity { return identify(p, "activityDateTime") }, mapAudit, "", "directoryAudits"}
	provisioning = kind{func(p jsontape.Value) source.Identity { return identify(p, "activityDateTime") }, mapProvisioning, "Provisioning activity", "provisioning"}
	riskEvents   = kind{func(p jsontape.Value) source.Identity { return identify(p, "detectedDateTime") }, mapRiskEvent, "User Risk Detection", "riskDetections"}
	riskyUsers   = kind{identifyState, mapRiskyUser, "Risky user", "riskyUsers"}
	// registrations are states as well.
	registrations = kind{identifyRegistration, mapRegistration, "Authentication method registration", "userRegistrationDetails"}
	graph         = kind{identifyGraph, mapGraph, "Microsoft Graph Activity", ""}
	unknown       = kind{identifyPlain, mapUnknown, "", ""}
)

// kinds are the categories by their names in lower case: Microsoft itself
// writes them in more ways than one
// (https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options).
var kinds = map[string]*kind{
	"signinlogs": &signIns, "noninteractiveusersigninlogs": &signIns, "serviceprincipalsigninlogs": &signIns,
	"managedidentitysigninlogs": &signIns, "microsoftserviceprincipalsigninlogs": &signIns, "adfssigninlogs": &signIns,
	"auditlogs": &auditLogs, "customsecurityattributeauditlogs": &auditLogs,
	"provisioninglogs": &provisioning,
	"riskyusers":       &riskyUsers, "riskyserviceprincipals": &riskyUsers,
	"userriskevents": &riskEvents, "serviceprincipalriskevents": &riskEvents,
	"microsoftgraphactivitylogs": &graph,
	"networkaccesstrafficlogs":   &unknown, "enrichedoffice365auditlogs": &unknown, "remotenetworkhealthlogs": &unknown,
	"graphnotificationsactivitylogs": &unknown, "b2crequestlogs": &unknown,
}

// envelope is the table of what Azure Monitor wraps around an object. The
// object is mapped first: it knows better.
var envelope = members.Table{
	"properties":        {},
	"time":              {Fn: logged},
	"operationName":     {},
	"operationVersion":  {Path: ocsf.PathMetadataLogVersion},
	"category":          {Path: ocsf.PathMetadataLogName},
	"tenantId":          {Path: ocsf.PathMetadataTenantUID},
	"resourceId":        {Fn: tenantPath},
	"callerIpAddress":   {Fn: caller},
	"correlationId":     {Fn: correlation},
	"resultType":        {Fn: resultType},
	"resultSignature":   {Fn: signature},
	"resultDescription": {Fn: description},
	"durationMs":        {Fn: duration},
	"identity":          {Fn: identity},
	"level":             {Path: ocsf.PathMetadataLogLevel},
	"Level":             {Path: ocsf.PathMetadataLogLevel},
	"location":          {Fn: country},
}

// isEnvelope reports whether root has Azure Monitor's shape.
func isEnvelope(root jsontape.Value) bool {
	return root.Get("properties").Exists() && root.Get("category").Kind() == jsontape.String &&
		(root.Get("operationName").Exists() || root.Get("time").Exists())
}

func isDiagnostic(root jsontape.Value) bool {
	if !isEnvelope(root) {
		return false
	}
	_, known := kindOfRecord(root)
	return known || containsFold(root.Get("resourceId").Str(), "/microsoft.aadiam")
}

// kindOfRecord tells a record by its category, which for audit records is not
// enough: Intune's are named AuditLogs too, and some of Entra's have their own
// category in the envelope's place.
func kindOfRecord(root jsontape.Value) (k *kind, known bool) {
	var buf [48]byte
	if category := root.Get("category").Str(); len(category) <= len(buf) {
		if k, ok := kinds[string(appendLower(buf[:0], category))]; ok && k != &auditLogs {
			return k, true
		}
	}
	p := root.Get("properties")
	if k := auditKind(p); k != nil {
		return k, true
	}
	if p.Get("initiatedBy").Exists() { // an audit record without a name of its own
		return &auditLogs, true
	}
	return &unknown, false
}

func identifyDiagnostic(root jsontape.Value) source.Identity {
	k, _ := kindOfRecord(root)
	id := k.identify(root.Get("properties"))
	if tenant := root.Get("tenantId").Str(); len(tenant) > 0 {
		id.Tenant = tenant
	} else if len(id.Tenant) == 0 {
		id.Tenant = tenantOf(root.Get("resourceId").Str())
	}
	if id.Time == 0 {
		id.Time, _ = field.Time(root.Get("time").Str())
	}
	return id
}

// identifyState is for records of a state, whose id is that of the thing: many
// records share it, so they have none of their own.
func identifyState(p jsontape.Value) source.Identity {
	id := identify(p, "riskLastUpdatedDateTime")
	id.ID = nil
	return id
}

func identifyPlain(p jsontape.Value) source.Identity { return source.Identity{} }

func mapDiagnostic(root jsontape.Value, e *ocsf.Event) {
	product(e)
	k, _ := kindOfRecord(root)
	p := root.Get("properties")
	if p.Kind() == jsontape.Object {
		k.fill(p, e, "properties.")
	} else {
		unknown.fill(p, e, "")
		if !members.Blank(p) {
			members.Leave(p, e, "")
		}
	}
	envelope.Apply(root, e, "")
	operation := root.Get("operationName").Str()
	if e.Str(ocsf.PathMetadataEventCode) == nil {
		e.SetString(ocsf.PathMetadataEventCode, operation)
	}
	if len(operation) > 0 {
		e.SetString(ocsf.PathAPIOperation, operation)
	} else if e.Str(ocsf.PathAPIOperation) == nil {
		e.SetText(ocsf.PathAPIOperation, k.operation)
	}
	// Azure's bookkeeping (__UDI_RequiredFields_TenantId and so on) repeats other members.
	e.Unmapped = slices.DeleteFunc(e.Unmapped, func(m ocsf.Member) bool { return bytes.Contains(m.Name, []byte("__UDI_RequiredFields_")) })
}

// mapUnknown is for categories without a table of their own.
func mapUnknown(p jsontape.Value, e *ocsf.Event, prefix string) {
	e.Class, e.Activity = ocsf.ClassAPIActivity, other
	members.Table(nil).Apply(p, e, prefix)
}

// logged is when the record was written, which is when the event happened only
// for those whose object does not say.
func logged(v jsontape.Value, e *ocsf.Event) bool {
	ns, ok := field.Time(v.Str())
	if !ok {
		return false
	}
	e.SetTime(ocsf.PathMetadataLoggedTime, ns)
	if e.Time == 0 {
		e.Time = ns
		e.SetString(ocsf.PathMetadataOriginalTime, v.Str())
	}
	return true
}

func caller(v jsontape.Value, e *ocsf.Event) bool {
	if e.Class == ocsf.ClassDetectionFinding {
		return e.Str(ocsf.PathEvidencesSrcEndpointIP) != nil || members.Address(v, e, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointPort)
	}
	return e.Str(ocsf.PathSrcEndpointIP) != nil || members.From(v, e)
}

func correlation(v jsontape.Value, e *ocsf.Event) bool {
	return unlessSet(v, e, ocsf.PathMetadataCorrelationUID)
}

func description(v jsontape.Value, e *ocsf.Event) bool {
	return unlessSet(v, e, ocsf.PathStatusDetail)
}

// unlessSet sets a string that the object has not set, and keeps one that says
// something else.
func unlessSet(v jsontape.Value, e *ocsf.Event, p ocsf.Path) bool {
	if have := e.Str(p); have != nil {
		return bytes.Equal(have, v.Text())
	}
	e.SetString(p, v.Text())
	return v.Kind() < jsontape.Array
}

// resultType repeats a sign-in's error code.
func resultType(v jsontape.Value, e *ocsf.Event) bool {
	return bytes.Equal(e.Str(ocsf.PathStatusCode), v.Text()) || string(v.Text()) == "0"
}

// signature repeats the outcome, or Graph's status code.
func signature(v jsontape.Value, e *ocsf.Event) bool {
	switch string(v.Text()) {
	case "None", "SUCCESS", "FAILURE":
		return true
	}
	return bytes.Equal(e.Str(ocsf.PathStatusCode), v.Text())
}

func duration(v jsontape.Value, e *ocsf.Event) bool {
	n, ok := v.Int()
	if ok && n > 0 {
		e.SetInt(ocsf.PathDuration, n)
	}
	return ok
}

// identity is the name of who acted, for people to read; in provisioning the
// record's id once more.
func identity(v jsontape.Value, e *ocsf.Event) bool {
	if field.GUID(v.Str()) {
		return bytes.Equal(v.Str(), e.Str(ocsf.PathMetadataUID))
	}
	return unlessSet(v, e, ocsf.PathActorUserDisplayName)
}

// tenantPath is "/tenants/8f2c…/providers/Microsoft.aadiam" and says no more
// than the tenant.
func tenantPath(v jsontape.Value, e *ocsf.Event) bool {
	tenant := tenantOf(v.Str())
	if tenant != nil && e.Str(ocsf.PathMetadataTenantUID) == nil {
		e.SetString(ocsf.PathMetadataTenantUID, tenant)
	}
	return tenant != nil
}

func tenantOf(resourceID []byte) []byte {
	const prefix = "/tenants/"
	if len(resourceID) < len(prefix) || !containsFold(resourceID[:len(prefix)], prefix) {
		return nil
	}
	tenant, rest, _ := bytes.Cut(resourceID[len(prefix):], []byte("/"))
	if !containsFold(rest, "microsoft.aadiam") {
		return nil
	}
	return tenant
}

// country is where a sign-in came from; others write a region of Azure here.
func country(v jsontape.Value, e *ocsf.Event) bool {
	if s := v.Str(); len(s) != 2 || e.Class != ocsf.ClassAuthentication {
		return false
	}
	return unlessSet(v, e, ocsf.PathSrcEndpointLocationCountry)
}

func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// containsFold reports whether s contains the text, which is in lower case.
func containsFold(s []byte, lower string) bool {
	for i := 0; i+len(lower) <= len(s); i++ {
		j := 0
		for j < len(lower) && (s[i+j] == lower[j] || s[i+j]|0x20 == lower[j] && s[i+j] >= 'A' && s[i+j] <= 'Z') {
			j++
		}
		if j == len(lower) {
			return true
		}
	}
	return false
}
