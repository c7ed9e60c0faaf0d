// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

// authority makes a certificate of its own for 127.0.0.1, and a file that holds it.
func authority(t *testing.T, name string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// TestTLS: brokers that take TLS and SCRAM alone are read by a source that names their authority and knows the password, and by
// no other.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, ours := authority(t, "ours")
	_, unknown := authority(t, "unknown")
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.SeedTopics(2, "audit"), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "daybreak", "open sesame"),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	try := func(ca, password string) error {
		t.Helper()
		file := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
		c := config.DefaultSource("kafka")
		c.Name, c.Tenant, c.Brokers, c.Streams, c.CA = "bus", "contoso", cluster.ListenAddrs(), []string{"audit"}, ca
		c.SASL, c.Username, c.Password = "scram-sha-512", "daybreak", config.Secret("file:"+file)
		o, _, err := node.NewKafka(&c, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		b, err := node.TryKafka(ctx, o, "audit")
		if err == nil && b.Partitions != 2 {
			t.Errorf("it has %d partitions", b.Partitions)
		}
		return err
	}
	if err := try(ours, "open sesame"); err != nil {
		t.Errorf("it cannot be read: %v", err)
	}
	if err := try(unknown, "open sesame"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("brokers of an authority that is not known are spoken to: %v", err)
	}
	if err := try("", "open sesame"); err == nil {
		t.Error("brokers that want TLS are spoken to without")
	}
	if err := try(ours, "wrong"); err == nil {
		t.Error("a wrong password is taken")
	}
}
