// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package members

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// systems are OCSF os.type_id and device.type_id by how the names begin that browsers, agents and directories have for
// them; a desktop's name does not tell it from a laptop's or a server's.
var systems = []struct {
	prefix     string
	os, device int64
}{
	{"windows phone", 101, 5},
	{"windows", 100, 0},
	{"mac os x (iphone)", 301, 5},
	{"mac os x (ipad)", 302, 4},
	{"mac", 300, 0},
	{"osx", 300, 0},
	{"ios", 301, 5},
	{"ipados", 302, 4},
	{"android", 201, 5},
	{"linux", 200, 0},
	{"ubuntu", 200, 0},
}

// OperatingSystem takes the name of a device's operating system, and what it tells of the device.
func OperatingSystem(v jsontape.Value, e *ocsf.Event) bool {
	name := v.Str()
	e.SetString(ocsf.PathDeviceOSName, name)
	os, device := int64(99), int64(0)
	for _, s := range systems {
		if len(name) >= len(s.prefix) && bytes.EqualFold(name[:len(s.prefix)], []byte(s.prefix)) {
			os, device = s.os, s.device
			break
		}
	}
	e.SetInt(ocsf.PathDeviceOSTypeID, os)
	e.SetInt(ocsf.PathDeviceTypeID, device)
	return v.Kind() == jsontape.String
}
