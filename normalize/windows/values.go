// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"bytes"
	"strconv"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// said is the text of a value; nil if it is one of those that Windows writes for nothing. S-1-0-0 is nobody's SID, and
// 0x0 no session.
func said(v jsontape.Value) []byte {
	if v.Kind() >= jsontape.Array {
		return nil
	}
	s := bytes.TrimSpace(v.Text())
	switch string(s) {
	case "", "-", "N/A", "(null)", "S-1-0-0", "NULL SID", "0x0":
		return nil
	}
	return s
}

// text takes a text to where the event's class has what p names.
func text(p ocsf.Path) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() >= jsontape.Array {
			return false
		}
		s := said(v)
		if s == nil {
			return true
		}
		to := members.Place(e.Class, p)
		e.SetString(to, s)
		return to != ocsf.PathNone
	}}
}

// same is for what was taken before to p; another of its meaning stays.
func same(p ocsf.Path) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		return v.Kind() < jsontape.Array && bytes.Equal(v.Text(), e.Str(members.Place(e.Class, p)))
	}}
}

// integer reads a number as providers write it: a JSON number, a decimal, 0x and hexadecimal digits.
func integer(v jsontape.Value) (int64, bool) {
	if n, ok := v.Int(); ok {
		return n, true
	}
	s := v.Str()
	if len(s) < 3 || len(s) > 18 || s[0] != '0' || s[1]|0x20 != 'x' {
		return 0, false
	}
	// ParseUint keeps the text only in the error, which is dropped here.
	n, err := strconv.ParseUint(unsafe.String(&s[2], len(s)-2), 16, 63)
	return int64(n), err == nil
}

// number takes a number above 0, which stands for none.
func number(list ...ocsf.Path) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		n, ok := integer(v)
		if !ok {
			return v.Kind() < jsontape.Array && said(v) == nil
		}
		for _, p := range list {
			if n > 0 {
				e.SetInt(p, n)
			}
		}
		return n >= 0
	}}
}

// port takes a port; 0 is none.
func port(p ocsf.Path) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		n, ok := integer(v)
		if !ok || n < 0 || n > 65535 {
			return v.Kind() < jsontape.Array && said(v) == nil
		}
		to := members.Place(e.Class, p)
		if n > 0 {
			e.SetInt(to, n)
		}
		return to != ocsf.PathNone
	}}
}

// address takes an address.
func address(ip, port ocsf.Path) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() == jsontape.String && said(v) == nil {
			return true
		}
		if string(v.Str()) == "LOCAL" {
			return false
		}
		to := members.Place(e.Class, ip)
		return to != ocsf.PathNone && members.Address(v, e, to, members.Place(e.Class, port))
	}}
}

// program takes the path of a program's file.
func program(list ...members.File) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		s := said(v)
		if s == nil || v.Kind() != jsontape.String {
			return v.Kind() == jsontape.String
		}
		for _, p := range list {
			p.Set(e, s)
		}
		return true
	}}
}

// account takes DOMAIN\name.
func account(name, domain ocsf.Path) members.Member {
	return members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		s := said(v)
		if before, after, ok := bytes.Cut(s, []byte(`\`)); ok && len(after) > 0 {
			e.SetString(domain, before)
			s = after
		}
		e.SetString(name, s)
		return v.Kind() == jsontape.String
	}}
}

// levels are the event's level by number and by name (winmeta.xml); what NXLog calls its severity is the same.
var levels = map[string]int64{
	"0": 1, "4": 1, "5": 1, "Information": 1, "information": 1, "INFO": 1, "Verbose": 1, "LogAlways": 1, "DEBUG": 1,
	"3": 2, "Warning": 2, "warning": 2, "WARNING": 2, "2": 3, "Error": 3, "error": 3, "ERROR": 3, "1": 5, "Critical": 5, "critical": 5, "CRITICAL": 5,
}

var level = members.Member{Fn: func(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := levels[string(v.Text())]
	if ok {
		e.SetInt(ocsf.PathSeverityID, id)
		e.SetString(ocsf.PathMetadataLogLevel, v.Text())
	}
	return ok
}}

const (
	success = 1
	failure = 2
)

// audits are what the keywords of an audit say of its outcome, by name and by number, which some write as a signed one. The
// second number of each is of providers of the old kind, AD FS among them (winmeta.xml, win:EventlogClassic).
var audits = map[string]int64{
	"Audit Success": success, "AUDIT_SUCCESS": success, "0x8020000000000000": success, "9232379236109516800": success, "-9214364837600034816": success,
	"0x80a0000000000000": success, "0x80A0000000000000": success, "9268408033128480768": success, "-9178336040581070848": success,
	"Audit Failure": failure, "AUDIT_FAILURE": failure, "0x8010000000000000": failure, "9227875636482146304": failure, "-9218868437227405312": failure,
	"0x8090000000000000": failure, "9263904433501110272": failure, "-9182839640208441344": failure,
}

// outcome takes the outcome of an audit. Keywords stay under unmapped: they say other things too.
func outcome(keywords jsontape.Value, e *ocsf.Event) {
	if keywords.Kind() == jsontape.Array {
		keywords = keywords.First()
	}
	if id, ok := audits[string(keywords.Text())]; ok {
		e.SetInt(ocsf.PathStatusID, id)
	}
}
