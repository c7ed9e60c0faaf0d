// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
)

// Place returns the place of a column in [lake.Columns], or -1.
func Place(name string) int {
	return slices.IndexFunc(lake.Columns, func(c lake.Column) bool { return c.Name == name })
}

// ColumnOf returns the value of the column at place i of [lake.Columns].
func ColumnOf(r *lake.Row, i int) Value {
	switch i {
	case lake.ColTime:
		return Value{Int: r.Time}
	case lake.ColReceived:
		return Value{Int: r.Received}
	case lake.ColBatch:
		return Value{Int: r.Batch}
	case lake.ColIndex:
		return Value{Int: int64(r.Index)}
	case lake.ColClass:
		return Value{Int: int64(r.ClassUID)}
	case lake.ColActivity:
		return Value{Int: int64(r.ActivityID)}
	case lake.ColStatusID:
		return Value{Int: int64(r.StatusID)}
	case lake.ColSeverity:
		return Value{Int: int64(r.SeverityID)}
	case lake.ColASN:
		return Value{Int: r.ASN}
	case lake.ColMutated:
		if r.Mutated {
			return Value{Int: 1}
		}
		return Value{}
	}
	return Value{Text: *text(r, i)}
}

// Set is the inverse of ColumnOf.
func Set(r *lake.Row, i int, v Value) {
	switch i {
	case lake.ColTime:
		r.Time = v.Int
	case lake.ColReceived:
		r.Received = v.Int
	case lake.ColBatch:
		r.Batch = v.Int
	case lake.ColIndex:
		r.Index = int32(v.Int)
	case lake.ColClass:
		r.ClassUID = int32(v.Int)
	case lake.ColActivity:
		r.ActivityID = int32(v.Int)
	case lake.ColStatusID:
		r.StatusID = int32(v.Int)
	case lake.ColSeverity:
		r.SeverityID = int32(v.Int)
	case lake.ColASN:
		r.ASN = v.Int
	case lake.ColMutated:
		r.Mutated = v.Int != 0
	default:
		*text(r, i) = v.Text
	}
}

// text returns the text column at place i.
func text(r *lake.Row, i int) *string {
	return [...]*string{
		&r.Tenant, &r.Family, &r.Workload, &r.Operation, &r.User, &r.UserUID, &r.IP, &r.Country, &r.App,
		&r.Session, &r.Device, &r.Target, &r.Object, &r.UserAgent, &r.Status, &r.Text, &r.UID,
	}[i-lake.ColTenant]
}
