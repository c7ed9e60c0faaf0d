// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package index makes the row that the lake keeps of an event: for each column
// the best of the event's attributes.
package index

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// column is a text column of a row and the attributes that may fill it, the
// best first.
type column struct {
	field func(*lake.Row) *string
	paths []ocsf.Path
}

var columns = []column{
	{func(r *lake.Row) *string { return &r.Tenant }, []ocsf.Path{ocsf.PathMetadataTenantUID}},
	{func(r *lake.Row) *string { return &r.Workload }, []ocsf.Path{ocsf.PathMetadataLogName, ocsf.PathAPIServiceName}},
	{func(r *lake.Row) *string { return &r.Operation }, []ocsf.Path{ocsf.PathMetadataEventCode, ocsf.PathAPIOperation}},
	{func(r *lake.Row) *string { return &r.User }, []ocsf.Path{ocsf.PathActorUserEmailAddr, ocsf.PathActorUserName}},
	{func(r *lake.Row) *string { return &r.UserUID }, []ocsf.Path{ocsf.PathActorUserUID, ocsf.PathActorUserUIDAlt}},
	{func(r *lake.Row) *string { return &r.IP }, []ocsf.Path{ocsf.PathSrcEndpointIP, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathDeviceIP}},
	{func(r *lake.Row) *string { return &r.Country }, []ocsf.Path{ocsf.PathSrcEndpointLocationCountry, ocsf.PathEvidencesSrcEndpointLocationCountry}},
	{func(r *lake.Row) *string { return &r.App }, []ocsf.Path{ocsf.PathActorAppName, ocsf.PathActorAppUID}},
	{func(r *lake.Row) *string { return &r.Session }, []ocsf.Path{ocsf.PathActorSessionUID, ocsf.PathSessionUID}},
	{func(r *lake.Row) *string { return &r.Device }, []ocsf.Path{ocsf.PathDeviceName, ocsf.PathDeviceHostname, ocsf.PathDeviceUID}},
	{func(r *lake.Row) *string { return &r.Target }, []ocsf.Path{
		ocsf.PathUserEmailAddr, ocsf.PathUserName, ocsf.PathUserUID, ocsf.PathEvidencesUserEmailAddr, ocsf.PathEvidencesUserName,
		ocsf.PathEntityUserEmailAddr, ocsf.PathEntityUserName, ocsf.PathGroupName, ocsf.PathGroupUID, ocsf.PathDatabucketName,
		ocsf.PathServiceName, ocsf.PathServiceUID, ocsf.PathAppName, ocsf.PathAppUID, ocsf.PathEntityName, ocsf.PathEntityUID, ocsf.PathEmailTo, ocsf.PathEvidencesEmailTo,
	}},
	{func(r *lake.Row) *string { return &r.Object }, []ocsf.Path{
		ocsf.PathFilePath, ocsf.PathFileName, ocsf.PathWebResourcesURLString, ocsf.PathWebResourcesName, ocsf.PathEntityName, ocsf.PathEntityUID,
		ocsf.PathGroupName, ocsf.PathEvidencesFilePath, ocsf.PathEvidencesURLURLString, ocsf.PathFindingInfoUID, ocsf.PathEmailMessageUID, ocsf.PathResourcesName, ocsf.PathResourcesUID, ocsf.PathDatabucketUID,
	}},
	{func(r *lake.Row) *string { return &r.UserAgent }, []ocsf.Path{ocsf.PathHTTPRequestUserAgent}},
	{func(r *lake.Row) *string { return &r.Status }, []ocsf.Path{ocsf.PathStatusCode, ocsf.PathStatus}},
	{func(r *lake.Row) *string { return &r.Text }, []ocsf.Path{
		ocsf.PathMessage, ocsf.PathEmailSubject, ocsf.PathEvidencesEmailSubject, ocsf.PathFindingInfoTitle, ocsf.PathFileName, ocsf.PathWebResourcesName,
		ocsf.PathQueryInfoQueryString, ocsf.PathStatusDetail, ocsf.PathEntityName, ocsf.PathPrivileges, ocsf.PathResourcesName,
	}},
	{func(r *lake.Row) *string { return &r.UID }, []ocsf.Path{ocsf.PathMetadataUID}},
}

// place is a column that an attribute may fill and how many are better.
type place struct{ column, rank uint8 }

// places lists the columns of each path.
var places = func() [][]place {
	all := ocsf.Paths()
	t := make([][]place, len(all)+1)
	for c := range columns {
		for rank, p := range columns[c].paths {
			t[p] = append(t[p], place{uint8(c), uint8(rank)})
		}
	}
	return t
}()

// Row fills dst from an event, whose Fit may have run or not. It leaves alone
// what an event does not know: Received, Batch, Index, Mutated, Family. The
// strings are borrowed from the event.
func Row(dst *lake.Row, e *ocsf.Event) {
	*dst = lake.Row{Received: dst.Received, Batch: dst.Batch, Index: dst.Index, Mutated: dst.Mutated, Family: dst.Family}
	dst.Time = milliseconds(e.Time)
	dst.ClassUID, dst.ActivityID, dst.SeverityID = int32(e.Class), e.Activity, 1
	var best [32]uint8 // rank + 1 of what a column holds, 0 nothing
	for i := range e.Attrs {
		a := &e.Attrs[i]
		switch {
		case a.Kind == ocsf.Int:
			number(dst, a)
		case a.Kind != ocsf.String || a.Elem != 0 || len(a.Str) == 0:
		default:
			for _, p := range places[a.Path] {
				if b := best[p.column]; b == 0 || p.rank+1 < b {
					best[p.column] = p.rank + 1
					*columns[p.column].field(dst) = borrow(a.Str)
				}
			}
		}
	}
	if e.Class == ocsf.ClassAuthentication { // user is the actor once more
		if dst.Target = str(e, ocsf.PathServiceName); dst.Target == "" {
			dst.Target = str(e, ocsf.PathServiceUID)
		}
	}
	if finding := e.Class/1000 == 2; finding {
		dst.StatusID = 0 // of a finding it says where its handling stands
	}
	if e.Class == ocsf.ClassFileHosting && dst.Target == "" {
		dst.Target = sharedWith(e)
	}
	dst.User = lower(e, dst.User)
	if strings.IndexByte(dst.Target, '@') > 0 { // an account, by its address
		dst.Target = lower(e, dst.Target)
	}
}

func number(dst *lake.Row, a *ocsf.Attr) {
	switch a.Path {
	case ocsf.PathStatusID:
		dst.StatusID = int32(a.Num)
	case ocsf.PathSeverityID:
		dst.SeverityID = int32(a.Num)
	case ocsf.PathSrcEndpointAutonomousSystemNumber:
		dst.ASN = a.Num
	}
}

// sharedWith is whom a file was shared with. OCSF's File Hosting Activity has no
// place for it, so it is among what is unmapped.
func sharedWith(e *ocsf.Event) string {
	for i := range e.Unmapped {
		m := &e.Unmapped[i]
		v := m.Value
		if string(m.Name) == "TargetUserOrGroupName" && len(v) > 2 && v[0] == '"' && bytes.IndexByte(v, '\\') < 0 {
			return borrow(v[1 : len(v)-1])
		}
	}
	return ""
}

// lower returns s in lower case (ASCII), in the event's memory if it changes.
func lower(e *ocsf.Event, s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := e.Own(s)
			for j := i; j < len(b); j++ {
				if c := b[j]; c >= 'A' && c <= 'Z' {
					b[j] = c | 0x20
				}
			}
			return borrow(b)
		}
	}
	return s
}

func str(e *ocsf.Event, p ocsf.Path) string { return borrow(e.Str(p)) }

func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// milliseconds rounds down, before 1970 too.
func milliseconds(ns int64) int64 {
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	return ms
}
