// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/journal/verify"
)

// BenchmarkJournal verifies a journal of records of 1.5 KB that compress like
// audit records do (to a sixth or so), in batches of 1,024. records/cpu-s is
// the rate of one core, whatever else the machine does.
func BenchmarkJournal(b *testing.B) {
	const batches, each = 40, 1024
	k := newKit(b, "example.com/bench", 1)
	p := kitPiece{tenant: "0873ee4d-0000-4000-8000-0123456789ab", family: "m365", stream: "Audit.Exchange", name: "20261121120000000000001$20261121120000000000001$audit_exchange$Audit_Exchange$emea0001", run: "5f0c"}
	size := 0
	for range batches {
		p.a, p.b = p.b, p.b+each
		records := k.records(0, p.a, each, 0)
		for i := range records {
			records[i].id = fmt.Sprintf("%x-0000-4000-8000-%x", k.noise(4), k.noise(6))
			records[i].raw = k.auditRecord(records[i].id)
			size += len(records[i].raw)
		}
		k.batch([]kitPiece{p}, records)
	}
	k.publish()
	m := k.fs()
	stored := len(k.files["segments/000000000000.frames"])
	for _, parallel := range []int{1, 2} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			o := verify.Options{Keys: []string{k.vkey()}, Parallel: parallel}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			start, cpu := time.Now(), cpuTime()
			for b.Loop() {
				if _, err := verify.FS(context.Background(), m, o); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(b.N * batches * each)
			b.ReportMetric(n/time.Since(start).Seconds(), "records/s")
			b.ReportMetric(n/(cpuTime()-cpu).Seconds(), "records/cpu-s")
			b.ReportMetric(float64(size)/batches/each, "B/record")
			b.ReportMetric(100*float64(stored)/float64(size), "%stored")
		})
	}
	runtime.KeepAlive(m)
}

// cpuTime is what the process has used of all cores.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// auditRecord returns about 1.5 KB of JSON in the manner of a mailbox audit
// record, a fifth of it different from record to record.
func (k *kit) auditRecord(id string) []byte {
	n := k.noise(64)
	return fmt.Appendf(nil, `{"CreationTime":"2026-11-21T12:%02d:%02d","Id":%q,"Operation":"MailItemsAccessed","OrganizationId":"0873ee4d-0000-4000-8000-0123456789ab","RecordType":50,"ResultStatus":"Succeeded","UserKey":"1003%x","UserType":0,"Version":1,"Workload":"Exchange","ClientIP":"192.0.2.%d","UserId":"user%d@contoso.example","AppAccessContext":{"AADSessionId":"%x-%x","IssuedAtTime":"2026-11-21T11:%02d:00","UniqueTokenId":"%x"},"ClientAppId":"9199bf20-a13f-4107-85dc-02114787ef48","ClientIPAddress":"192.0.2.%d","ClientInfoString":"Client=REST;Client=RESTSystem;;","ClientRequestId":"%x","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-1000000000-2000000000-3000000000-%d","MailboxGuid":"%x-0000-4000-8000-000000000000","MailboxOwnerSid":"S-1-5-21-1000000000-2000000000-3000000000-%d","MailboxOwnerUPN":"user%d@contoso.example","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"OrganizationName":"contoso.example","OriginatingServer":"AM0PR01MB%04d (15.20.4200.000)\r\n","SessionId":"%x","TokenObjectId":"%x","Folders":[{"FolderItems":[{"ClientRequestId":"%x","Id":"RgAAAAB%x","InternetMessageId":"<%x@AM0PR01MB%04d.eurprd01.prod.exchangelabs.example>","SizeInBytes":%d}],"Id":"LgAAAAC%x","Path":"\\Inbox"}],"OperationCount":%d}`,
		n[0]%60, n[1]%60, id, n[2:7], n[7], n[8], n[9:13], n[13:15], n[15]%60, n[16:24], n[7], n[24:32], int(n[32])*7, n[8:12], int(n[32])*7, n[8], int(n[33])*9, n[9:17], n[34:38], n[24:32], n[38:50], n[50:62], int(n[33])*9, int(n[62])*971, n[8:20], n[63]%9)
}
