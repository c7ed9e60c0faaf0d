// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// common sets what events of every class may have.
func (f *facts) common(e *ocsf.Event) {
	if v, _ := single(f.at[sAddress]); v.Kind() == jsontape.String && !e.Has(ocsf.PathSrcEndpointIP) && !e.Has(ocsf.PathEvidencesSrcEndpointIP) && from(v, e) {
		f.tell(sAddress)
	}
	if e.Class.Has(ocsf.PathHTTPRequestUserAgent) {
		f.put(ocsf.PathHTTPRequestUserAgent, sUserAgent, e)
	}
	if on, ok := f.truth(sSuspicious); ok && on && e.Class.Has(ocsf.PathIsAlert) {
		e.SetBool(ocsf.PathIsAlert, true)
		f.tell(sSuspicious)
	}
	if e.Class != ocsf.ClassEntityManagement {
		f.device(e, ocsf.PathDeviceUID, ocsf.PathDeviceName, ocsf.PathDeviceTypeID)
	}
}

// device sets a device by its ids; nothing if it has none.
func (f *facts) device(e *ocsf.Event, uid, name, typeID ocsf.Path) bool {
	id, named := f.put(uid, sDeviceID, e), f.put(name, sDeviceName, e)
	if !id && !f.at[sSerial].Exists() && !named {
		return false
	}
	if !id {
		f.put(uid, sSerial, e)
	}
	e.SetInt(typeID, deviceTypes[string(f.text(sDeviceType))])
	if typeID != ocsf.PathDeviceTypeID {
		return true
	}
	if f.at[sSerial].Exists() {
		f.put(ocsf.PathDeviceHwInfoSerialNumber, sSerial, e)
	}
	f.put(ocsf.PathDeviceModel, sModel, e)
	if f.put(ocsf.PathDeviceOSName, sSystem, e) {
		e.SetInt(ocsf.PathDeviceOSTypeID, systemOf(f.text(sSystem)))
		f.put(ocsf.PathDeviceOSVersion, sSystemVersion, e)
	}
	return true
}

// deviceTypes are OCSF device.type_id; other words do not say.
var deviceTypes = map[string]int64{"ANDROID": 5, "IOS": 5, "MOBILE": 5, "DESKTOP_CHROME": 2}

// systemOf is OCSF os.type_id by what a platform's name begins with.
func systemOf(name []byte) int64 {
	for _, s := range [...]struct {
		prefix string
		id     int64
	}{{"windows", 100}, {"mac", 300}, {"ios", 301}, {"android", 201}, {"linux", 200}} {
		if len(name) >= len(s.prefix) && bytes.EqualFold(name[:len(s.prefix)], []byte(s.prefix)) {
			return s.id
		}
	}
	return other
}
