// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) {
	var b strings.Builder
	rows := map[string][]string{}
	for k, name := range map[kind]string{security: "Security auditing", system: "Service Control Manager, Eventlog", powerShell: "PowerShell", sysmon: "Sysmon", adfs: "AD FS Auditing", certificates: "CertificateServicesClient-Lifecycle-System"} {
		for id, r := range rules[k] {
			key := fmt.Sprintf("| %s | %d | %d | ", name, r.class, r.activity)
			rows[key] = append(rows[key], fmt.Sprint(id))
		}
	}
	sourcetest.Rows(&b, "\n## Events\n\n| provider | class | activity_id | event ids |\n|---|---|---|---|\n", rows)
	sourcetest.Page(t, "windows", b.String())
}
