// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import "github.com/daybreak-sec/daybreak/event"

// The places of the columns in [Columns], in a [Block] and in a segment.
const (
	ColTime = iota
	ColReceived
	ColBatch
	ColIndex
	ColClass
	ColActivity
	ColStatusID
	ColSeverity
	ColASN
	ColMutated
	ColTenant
	ColFamily
	ColWorkload
	ColOp
	ColUser
	ColUserUID
	ColIP
	ColCountry
	ColApp
	ColSession
	ColDevice
	ColTarget
	ColObject
	ColUA
	ColStatus
	ColText
	ColUID
	numColumns

	// The numbers come first and the strings after them.
	numInts    = ColTenant
	numStrings = numColumns - numInts
)

// ID returns the event id of the row.
func (r *Row) ID() event.ID {
	return event.ID{Batch: uint64(r.Batch), Index: uint32(r.Index)}
}

// ints returns the numeric columns of r in file order.
func (r *Row) ints() [numInts]int64 {
	var mutated int64
	if r.Mutated {
		mutated = 1
	}
	return [numInts]int64{
		r.Time, r.Received, r.Batch, int64(r.Index),
		int64(r.ClassUID), int64(r.ActivityID), int64(r.StatusID), int64(r.SeverityID),
		r.ASN, mutated,
	}
}

// strings returns the string columns of r in file order.
func (r *Row) strings() [numStrings]string {
	return [numStrings]string{
		r.Tenant, r.Family, r.Workload, r.Operation, r.User, r.UserUID, r.IP, r.Country, r.App,
		r.Session, r.Device, r.Target, r.Object, r.UserAgent, r.Status, r.Text, r.UID,
	}
}

// setInts is the inverse of ints.
func (r *Row) setInts(v *[numInts]int64) {
	r.Time, r.Received, r.Batch, r.Index = v[0], v[1], v[2], int32(v[3])
	r.ClassUID, r.ActivityID, r.StatusID, r.SeverityID = int32(v[4]), int32(v[5]), int32(v[6]), int32(v[7])
	r.ASN, r.Mutated = v[8], v[9] != 0
}

// setStrings is the inverse of strings.
func (r *Row) setStrings(v *[numStrings]string) {
	r.Tenant, r.Family, r.Workload, r.Operation, r.User, r.UserUID = v[0], v[1], v[2], v[3], v[4], v[5]
	r.IP, r.Country, r.App, r.Session, r.Device, r.Target = v[6], v[7], v[8], v[9], v[10], v[11]
	r.Object, r.UserAgent, r.Status, r.Text, r.UID = v[12], v[13], v[14], v[15], v[16]
}
