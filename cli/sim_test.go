// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// cmdTenant simulates a tenant, its part of Microsoft Graph included, in the test's process and sets API, TENANT,
// CLIENT and SECRET to what a configuration needs to reach it. The company is at work
// whatever the hour.
//
//	tenant [roles=A,B] [skew=10m] [faults=LIST] [certificate=FILE:LIFE]
//
// With certificate, FILE is a new certificate that the tenant trusts, with its key,
// and lasts for LIFE.
func cmdTenant(ts *testscript.TestScript, neg bool, args []string) {
	co := company.Config{Seed: 7, People: 30, Shift: company.OfficeHours(time.Now())}
	c := sim.Config{Seed: 7, Company: co, History: time.Hour, Backfill: time.Hour}
	var roles []string
	var trusted []*x509.Certificate
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
		case "certificate":
			file, life, _ := strings.Cut(value, ":")
			d, err := time.ParseDuration(life)
			ts.Check(err)
			trusted = append(trusted, writeCertificate(ts, file, d))
		default:
			ts.Fatalf("tenant takes no %s", key)
		}
	}
	s, err := sim.New(c)
	ts.Check(err)
	if roles != nil {
		s.SetRoles(roles...)
	}
	for _, cert := range trusted {
		ts.Check(s.TrustCertificate(cert))
	}
	web := httptest.NewServer(graph.New(graph.Config{Tenant: s}).Mount(s.Handler()))
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

// writeCertificate makes a key and its certificate, as docs/connect-m365.md has
// openssl do.
func writeCertificate(ts *testscript.TestScript, file string, life time.Duration) *x509.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "daybreak collector"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(life),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	ts.Check(os.WriteFile(ts.MkAbs(file), text, 0o600))
	cert, err := x509.ParseCertificate(der)
	ts.Check(err)
	return cert
}

// cmdExpand puts what cmdTenant has set into files.
//
//	expand FILE…
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		text := ts.ReadFile(file)
		for _, name := range []string{"API", "TENANT", "CLIENT", "SECRET", "WORK", "PORT"} {
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

// cmdMetric waits until a metric of the server at a port is above zero.
//
//	metric PORT NAME
func cmdMetric(ts *testscript.TestScript, neg bool, args []string) {
	var line string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get("http://127.0.0.1:" + args[0] + "/metrics")
		ts.Check(err)
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		ts.Check(err)
		_, rest, ok := strings.Cut(string(text), "\n"+args[1]+" ")
		if line, _, _ = strings.Cut(rest, "\n"); ok && line != "0" {
			return
		}
	}
	ts.Fatalf("%s is %q", args[1], line)
}
