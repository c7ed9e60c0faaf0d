// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// Rows of Defender for Endpoint's tables of advanced hunting, as rules for Windows, Linux and macOS see them. Which events a category is about
// is said by Sysmon's (https://learn.microsoft.com/sysinternals/downloads/sysmon#events), which the rules were written for; what a row is about,
// by its table and ActionType (https://learn.microsoft.com/defender-xdr/advanced-hunting-schema-tables). What columns the fields of rules
// are is in pipelines/defender.yml.

var hunting = []byte("AdvancedHunting-")

// hunted tells a row.
func hunted(v jsontape.Value, dst []sigma.LogSource) []sigma.LogSource {
	table := v.Get("category").Str()[len(hunting):]
	row := v.Get("properties")
	action := row.Get("ActionType").Str()
	path := row.Get("FolderPath").Str()
	var names []string
	switch string(table) {
	case "DeviceProcessEvents":
		if string(action) == "ProcessCreated" {
			names = processCreated
		}
	case "DeviceNetworkEvents":
		// Of a connection from elsewhere the columns would be those of the other end.
		if bytes.HasPrefix(action, []byte("Connection")) {
			names = connected
		}
		path = row.Get("InitiatingProcessFolderPath").Str()
	case "DeviceFileEvents":
		names = fileActions[string(action)]
	case "DeviceImageLoadEvents":
		names = imageLoaded
	case "DeviceRegistryEvents":
		return appendCategories(dst, "windows", registryActions[string(action)].categories)
	}
	// No column says what system a device has.
	if len(path) > 0 && path[0] == '/' {
		return appendCategories(appendCategories(dst, "linux", names), "macos", names)
	}
	return appendCategories(dst, "windows", names)
}

func appendCategories(dst []sigma.LogSource, product string, names []string) []sigma.LogSource {
	for _, name := range names {
		dst = append(dst, sigma.LogSource{Product: product, Category: name})
	}
	return dst
}

var (
	processCreated = []string{"process_creation"}
	connected      = []string{"network_connection"}
	imageLoaded    = []string{"image_load"}

	// A file that is written over is one that is created, in Sysmon's words.
	fileActions = map[string][]string{
		"FileCreated": {"file_event"}, "FileModified": {"file_event"}, "FileRenamed": {"file_event", "file_rename"}, "FileDeleted": {"file_delete"},
	}

	// registryActions are what Sysmon calls them.
	registryActions = map[string]struct {
		categories []string
		event      string
	}{
		"RegistryKeyCreated":   {[]string{"registry_event", "registry_add"}, "CreateKey"},
		"RegistryKeyDeleted":   {[]string{"registry_event", "registry_delete"}, "DeleteKey"},
		"RegistryValueDeleted": {[]string{"registry_event", "registry_delete"}, "DeleteValue"},
		"RegistryValueSet":     {[]string{"registry_set", "registry_event"}, "SetValue"},
		"RegistryKeyRenamed":   {[]string{"registry_event", "registry_rename"}, "RenameKey"},
	}
)

// hives are the registry's by their short names, which Sysmon writes.
var hives = [...][2]string{{"HKEY_LOCAL_MACHINE", "HKLM"}, {"HKEY_USERS", "HKU"}, {"HKEY_CURRENT_USER", "HKCU"}, {"HKEY_CLASSES_ROOT", "HKCR"}}

// registryRow gives a row of DeviceRegistryEvents what no single column says, as Sysmon writes it: TargetObject is the key with the name of the
// value, Details the value with its type. ok is false of other rows.
func registryRow(v jsontape.Value) (as jsontape.Value, ok bool) {
	if string(v.Get("category").Str()) != "AdvancedHunting-DeviceRegistryEvents" {
		return v, false
	}
	row := v.Get("properties")
	did := registryActions[string(row.Get("ActionType").Str())]
	key := row.Get("RegistryKey").Str()
	if len(key) == 0 || did.event == "" {
		return v, false
	}
	target := shortHive(key)
	if name := row.Get("RegistryValueName").Str(); did.event == "SetValue" || did.event == "DeleteValue" {
		if len(name) == 0 {
			name = []byte("(Default)")
		}
		target = append(append(target, '\\'), name...)
	}
	text := jsontape.AppendQuoted([]byte(`{"EventType":"`+did.event+`","TargetObject":`), target)
	if did.event == "SetValue" {
		text = jsontape.AppendQuoted(append(text, `,"Details":`...), details(row.Get("RegistryValueType").Str(), row.Get("RegistryValueData").Text()))
	}
	text = append(append(text, `,"category":"AdvancedHunting-DeviceRegistryEvents","properties":`...), row.Raw()...)
	var tape jsontape.Tape
	if tape.Parse(append(text, '}')) != nil {
		return v, false
	}
	return tape.Root(), true
}

// shortHive is a key as Sysmon writes it: CurrentControlSet is a link to the set in use, ControlSet001 for nearly everybody, and
// Defender shows where it leads.
func shortHive(key []byte) []byte {
	out := make([]byte, 0, len(key)+32)
	for _, h := range hives {
		if rest, ok := bytes.CutPrefix(key, []byte(h[0])); ok && (len(rest) == 0 || rest[0] == '\\') {
			out, key = append(out, h[1]...), rest
			break
		}
	}
	const set, current = `\SYSTEM\ControlSet001`, `\System\CurrentControlSet`
	if len(key) >= len(set) && bytes.EqualFold(key[:len(set)], []byte(set)) {
		out, key = append(out, current...), key[len(set):]
	}
	return append(out, key...)
}

// details is a value of the registry as Sysmon writes it.
func details(typ, data []byte) []byte {
	n, err := strconv.ParseUint(string(data), 0, 64)
	switch {
	case len(data) == 0:
		return []byte("(Empty)")
	case err == nil && bytes.EqualFold(typ, []byte("Dword")):
		return fmt.Appendf(nil, "DWORD (0x%08x)", uint32(n))
	case err == nil && bytes.EqualFold(typ, []byte("Qword")):
		return fmt.Appendf(nil, "QWORD (0x%08x-0x%08x)", n>>32, uint32(n))
	case bytes.EqualFold(typ, []byte("Binary")):
		return []byte("Binary Data")
	}
	return data
}
