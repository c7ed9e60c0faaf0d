// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/collect/push"
)

func TestSyslog(t *testing.T) {
	const (
		full   = `<165>1 2026-11-01T10:00:00.25Z host app 7 ID [a@1 k="v\"\]\\" k="w"][b@1] ` + "\xef\xbb\xbfhello"
		parsed = `{"syslog":"<165>1 2026-11-01T10:00:00.25Z host app 7 ID [a@1 k=\"v\\\"\\]\\\\\" k=\"w\"][b@1] ` + "\ufeff" + `hello",` +
			`"facility":20,"severity":5,"timestamp":"2026-11-01T10:00:00.25Z","host":"host","app":"app","procid":"7","msgid":"ID",` +
			`"structuredData":{"a@1":{"k":"v\"]\\"},"b@1":{}},"message":"hello"}`
	)
	long := strings.Repeat("x", 64<<10)
	for name, test := range map[string]struct {
		sent   string
		stored []string
	}{
		"counted":         {fmt.Sprintf("%d %s", len(full), full), []string{parsed}},
		"counted twice":   {fmt.Sprintf("%d %s2 hi", len(full), full), []string{parsed, `{"syslog":"hi"}`}},
		"line":            {full + "\n", []string{parsed}},
		"mixed":           {"<1>1 - - - - - - m\r\n4 <1>a<2>b\x00\n", []string{`{"syslog":"<1>1 - - - - - - m","facility":0,"severity":1,"message":"m"}`, `{"syslog":"<1>a","facility":0,"severity":1}`, `{"syslog":"<2>b","facility":0,"severity":2}`}},
		"a line of old":   {"<13>Nov  1 10:00:00 host app: text\n", []string{`{"syslog":"<13>Nov  1 10:00:00 host app: text","facility":1,"severity":5}`}},
		"no syslog":       {"2026-11-01 something\n\n", []string{`{"syslog":"2026-11-01 something"}`}},
		"bad structure":   {"<1>1 - - - - - [a k=v] m\n", []string{`{"syslog":"<1>1 - - - - - [a k=v] m","facility":0,"severity":1}`}},
		"bad priority":    {"<192>1 - - - - - - m\n", []string{`{"syslog":"<192>1 - - - - - - m"}`}},
		"a count too far": {"12345678901 x\n", []string{`{"syslog":"12345678901 x"}`}},
		"broken off":      {"100 <1>1 - - - - - - m", []string{`{"syslog":"<1>1 - - - - - - m","part":1,"more":true,"facility":0,"severity":1,"message":"m"}`}},
		"a line cut":      {"<1>cut", []string{`{"syslog":"<1>cut","facility":0,"severity":1}`}},
		"no UTF-8":        {"\xff\n", []string{`{"syslog":"` + "\ufffd" + `","syslogBase64":"/w=="}`}},
		"long":            {fmt.Sprintf("%d %sy", len(long)+1, long), []string{`{"syslog":"` + long + `","part":1,"more":true}`, `{"syslog":"y","part":2}`}},
		"a long line":     {long + "y\n", []string{`{"syslog":"` + long + `","part":1,"more":true}`, `{"syslog":"y","part":2}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, push.Options{Kind: push.Syslog})
			c := dial(t, b)
			if _, err := c.Write([]byte(test.sent)); err != nil {
				t.Fatal(err)
			}
			finish(t, b, c)
			b.want(test.stored...)
			if r := b.records(); strings.Contains(test.sent, full) && r[0].time != time.Date(2026, 11, 1, 10, 0, 0, 250e6, time.UTC).UnixNano() {
				t.Error(r[0].time)
			}
		})
	}
}

// finish ends a connection and waits until its records are durable.
func finish(t *testing.T, b *bench, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Read(make([]byte, 1)) // the receiver closes when all is durable
}

// TestLogger: the logger of util-linux sends, with counts and without.
func TestLogger(t *testing.T) {
	program, err := exec.LookPath("logger")
	if err != nil {
		t.Skip("there is no logger")
	}
	b := newBench(t, push.Options{Kind: push.Syslog})
	_, port, _ := net.SplitHostPort(b.addr)
	for _, more := range [][]string{{"--rfc5424", "--octet-count"}, {"--rfc5424"}} {
		args := append([]string{"--server", "127.0.0.1", "--port", port, "--tcp", "--priority", "local0.info", "--sd-id", "a@1", "--sd-param", `k="v"`}, more...)
		if out, err := exec.CommandContext(t.Context(), program, append(args, fmt.Sprint("hello ", len(more)))...).CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
	waitFor(t, func() bool { return len(b.records()) == 2 })
	for _, raw := range b.raws() {
		var v struct {
			Facility, Severity int
			Message            string
			StructuredData     map[string]map[string]string
		}
		if err := json.Unmarshal([]byte(raw), &v); err != nil || v.Facility != 16 || v.Severity != 6 || !strings.HasPrefix(v.Message, "hello ") || v.StructuredData["a@1"]["k"] != "v" {
			t.Error(raw, err)
		}
	}
}

// TestSyslogTLS: who has no certificate of the authority writes nothing.
func TestSyslogTLS(t *testing.T) {
	server, sender, stranger := selfSigned(t), selfSigned(t), selfSigned(t)
	pool := x509.NewCertPool()
	pool.AddCert(sender.Leaf)
	b := newBench(t, push.Options{Kind: push.Syslog, TLS: &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}})
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	for _, who := range []tls.Certificate{stranger, sender} {
		c, err := tls.Dial("tcp", b.addr, &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{who}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(c, "2 %s", map[bool]string{true: "in", false: "no"}[bytes.Equal(who.Leaf.Raw, sender.Leaf.Raw)])
		_ = c.CloseWrite()
		_, _ = c.Read(make([]byte, 1))
		c.Close()
	}
	b.want(`{"syslog":"in"}`)
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	form := &x509.Certificate{
		SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// FuzzSyslog: whatever comes becomes valid JSON that holds it to the last byte.
func FuzzSyslog(f *testing.F) {
	f.Add([]byte(`<165>1 2026-11-01T10:00:00Z host app 7 ID [a@1 k="v\"\]\\" k="w"][b@1] m`))
	f.Add([]byte("<1>1 - - - - - [a b=\"\xff\"]"))
	f.Add([]byte(`<0>1 [ [x"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		record, _ := push.SyslogRecord(raw)
		var v struct{ Syslog, SyslogBase64 string }
		if err := json.Unmarshal(record, &v); err != nil {
			t.Fatalf("%v: %s", err, record)
		}
		back := v.Syslog
		if !utf8.Valid(raw) {
			text, _ := base64.StdEncoding.DecodeString(v.SyslogBase64)
			back = string(text)
		}
		if back != string(raw) {
			t.Errorf("%q became %q", raw, back)
		}
	})
}
