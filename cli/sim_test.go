// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// cmdTenant simulates a tenant in the test's process and sets API, TENANT,
// CLIENT and SECRET to what a configuration needs to reach it.
//
//	tenant [roles=A,B] [skew=10m] [faults=LIST]
func cmdTenant(ts *testscript.TestScript, neg bool, args []string) {
	c := sim.Config{Seed: 7, Company: company.Config{Seed: 7, People: 30}, History: time.Hour, Backfill: time.Hour}
	var roles []string
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "roles":
			roles = strings.Split(value, ",")
		case "skew":
			d, err := time.ParseDuration(value)
			ts.Check(err)
			c.Start = time.Now().Add(d)
		case "faults":
			c.Faults = value
		default:
			ts.Fatalf("tenant takes no %s", key)
		}
	}
	s, err := sim.New(c)
	ts.Check(err)
	if roles != nil {
		s.SetRoles(roles...)
	}
	web := httptest.NewServer(s.Handler())
	ts.Defer(func() {
		s.Close()
		web.CloseClientConnections()
		web.Close()
	})
	tenant, client, secret := s.Credentials()
	for name, value := range map[string]string{"API": web.URL, "TENANT": tenant, "CLIENT": client, "SECRET": secret} {
		ts.Setenv(name, value)
	}
}

// cmdExpand puts what cmdTenant has set into files.
//
//	expand FILE…
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		text := ts.ReadFile(file)
		for _, name := range []string{"API", "TENANT", "CLIENT", "SECRET", "WORK"} {
			text = strings.ReplaceAll(text, "$"+name, ts.Getenv(name))
		}
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// cmdNoSecret fails if a file holds the tenant's secret, or something that looks like a
// token.
//
//	nosecret FILE…
func cmdNoSecret(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		text := ts.ReadFile(file)
		if strings.Contains(text, ts.Getenv("SECRET")) || strings.Contains(text, "eyJ") || strings.Contains(text, "Bearer ") {
			ts.Fatalf("%s holds a secret:\n%s", file, text)
		}
	}
}
