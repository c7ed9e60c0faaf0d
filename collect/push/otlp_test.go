// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	res "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/daybreak-sec/daybreak/collect/push"
)

// TestExporters: OpenTelemetry's own exporters deliver, over each transport, and what they report as delivered is there.
func TestExporters(t *testing.T) {
	for name, exporter := range map[string]func(*bench) (sdk.Exporter, error){
		"http": func(b *bench) (sdk.Exporter, error) {
			return otlploghttp.New(t.Context(), otlploghttp.WithEndpointURL(b.url+"/v1/logs"), otlploghttp.WithHeaders(header{"Authorization": "Bearer " + token}))
		},
		"http, gzip": func(b *bench) (sdk.Exporter, error) {
			return otlploghttp.New(t.Context(), otlploghttp.WithEndpointURL(b.url+"/v1/logs"), otlploghttp.WithHeaders(header{"Authorization": "Bearer " + token}),
				otlploghttp.WithCompression(otlploghttp.GzipCompression))
		},
		"grpc": func(b *bench) (sdk.Exporter, error) {
			return otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(b.addr), otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(header{"Authorization": "Bearer " + token}))
		},
		"grpc, gzip": func(b *bench) (sdk.Exporter, error) {
			return otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(b.addr), otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(header{"Authorization": "Bearer " + token}),
				otlploggrpc.WithCompressor("gzip"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, push.Options{Kind: push.OTLP})
			e, err := exporter(b)
			if err != nil {
				t.Fatal(err)
			}
			p := sdk.NewLoggerProvider(sdk.WithProcessor(sdk.NewSimpleProcessor(e)), sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))))
			at := time.Date(2026, 11, 1, 10, 0, 0, 123456789, time.UTC)
			for i := range 3 {
				var r log.Record
				r.SetTimestamp(at.Add(time.Duration(i)))
				r.SetSeverity(log.SeverityWarn)
				r.SetBody(attribute.StringValue(fmt.Sprintf("a person signs in, %d", i)))
				r.AddAttributes(attribute.Int("n", i), attribute.ByteSlice("b", []byte{0xff}))
				p.Logger("audit", log.WithInstrumentationVersion("2")).Emit(t.Context(), r)
			}
			if err := p.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := b.records()
			if len(got) != 3 {
				t.Fatalf("%d records: %v", len(got), got)
			}
			for i, r := range got {
				var v struct {
					Resource  struct{ Attributes []struct{ Key string } }
					Scope     struct{ Name, Version string }
					LogRecord struct {
						TimeUnixNano   string
						SeverityNumber int
						Body           struct{ StringValue string }
						Attributes     []struct {
							Key   string
							Value struct{ IntValue, BytesValue string }
						}
					}
				}
				if err := json.Unmarshal([]byte(r.raw), &v); err != nil {
					t.Fatal(err)
				}
				l := v.LogRecord
				if r.time != at.UnixNano()+int64(i) || l.TimeUnixNano != fmt.Sprint(r.time) || l.SeverityNumber != 13 || l.Body.StringValue != fmt.Sprintf("a person signs in, %d", i) ||
					len(l.Attributes) != 2 || l.Attributes[0].Value.IntValue != fmt.Sprint(i) || l.Attributes[1].Value.BytesValue != "/w==" ||
					v.Scope.Name != "audit" || v.Scope.Version != "2" || len(v.Resource.Attributes) != 1 {
					t.Errorf("%s at %d", r.raw, r.time)
				}
			}
		})
	}
}

// TestExporterOfAStranger: an exporter with a wrong token is told so, and nothing is stored.
func TestExporterOfAStranger(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.OTLP})
	e, err := otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(b.addr), otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(header{"Authorization": "Bearer nobody-knows-this"}))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Shutdown(context.Background())
	var r sdk.Record
	if err := e.Export(t.Context(), []sdk.Record{r}); err == nil || !strings.Contains(err.Error(), "the token is not this receiver's") {
		t.Error(err)
	}
	b.want()
}

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func bundle(records ...*logs.LogRecord) *logs.LogsData {
	return &logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		Resource: &res.Resource{Attributes: []*common.KeyValue{{Key: "service.name", Value: text("shop")}}}, SchemaUrl: "https://example.com/1",
		ScopeLogs: []*logs.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "audit"}, LogRecords: records}},
	}}}
}

// TestOTLPForms: the same record is the same bytes, as protobuf and as JSON, so that a sender that changes its encoding stores nothing twice.
func TestOTLPForms(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.OTLP})
	m, err := proto.Marshal(bundle(&logs.LogRecord{TimeUnixNano: 1700000000000000000, SeverityNumber: 9, Body: text("x"), TraceId: []byte{1, 0xab}, SpanId: []byte{2}}))
	if err != nil {
		t.Fatal(err)
	}
	const record = `{"timeUnixNano":"1700000000000000000","severityNumber":9,"body":{"stringValue":"x"},"traceId":"01ab","spanId":"02"}`
	const request = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"schemaUrl":"https://example.com/1",` +
		`"scopeLogs":[{"scope":{"name":"audit"},"logRecords":[` + record + `]}]}]}`
	for _, send := range []struct{ typ, body, answer string }{
		{"application/x-protobuf", string(m), ""}, {"application/json", request, "{}"}, {"application/json; charset=utf-8", request, "{}"},
	} {
		status, answer, res := b.do("POST", "/v1/logs", send.body, header{"Authorization": "Bearer " + token, "Content-Type": send.typ})
		typ, _, _ := strings.Cut(send.typ, ";")
		if status != 200 || answer != send.answer || res.Header.Get("Content-Type") != typ {
			t.Errorf("%s: %d %q", send.typ, status, answer)
		}
	}
	b.want(`{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"resourceSchemaUrl":"https://example.com/1","scope":{"name":"audit"},"logRecord":` + record + `}`)
}

// TestOTLPUnknown: what cannot be said in JSON is kept in base64.
func TestOTLPUnknown(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.OTLP})
	known, _ := proto.Marshal(&logs.LogRecord{SeverityNumber: 1})
	later := append(append([]byte(nil), known...), 0xfa, 0x3e, 1, 'x') // field 1007
	garbage := []byte{0x1a, 1, 0xff}                                   // severity_text that is no UTF-8
	var body []byte
	for _, record := range [][]byte{later, garbage} {
		wrap := func(tag byte, v []byte) []byte { return append([]byte{tag, byte(len(v))}, v...) }
		body = append(body, wrap(0x0a, wrap(0x12, wrap(0x12, record)))...)
	}
	if status, answer, _ := b.do("POST", "/v1/logs", string(body), header{"Authorization": "Bearer " + token, "Content-Type": "application/x-protobuf"}); status != 200 {
		t.Fatal(status, answer)
	}
	in64 := base64.StdEncoding.EncodeToString
	b.want(`{"logRecord":{"severityNumber":1},"protobuf":"`+in64(later)+`"}`, `{"protobuf":"`+in64(garbage)+`"}`)
}

func TestOTLPRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		typ, auth, body string
		status          int
		answer          string
	}{
		"no token":    {"application/json", "", "{}", 401, `"code":16`},
		"wrong token": {"application/json", "Bearer x", "{}", 403, `"code":16`},
		"type":        {"text/plain", "Bearer " + token, "{}", 415, `"code":12`},
		"no JSON":     {"application/json", "Bearer " + token, "{", 400, `"code":3`},
		"no protobuf": {"application/x-protobuf", "Bearer " + token, "{\"", 400, "\x08\x03\x12"},
		"empty":       {"application/json", "Bearer " + token, "{}", 200, "{}"},
		"other shape": {"application/json", "Bearer " + token, `{"resourceLogs":[1,{"scopeLogs":{"logRecords":7}}]}`, 200, "{}"},
		"in part":     {"application/json", "Bearer " + token, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[1,"x"]}]}]}`, 200, `"rejectedLogRecords":2`},
		"growth": {
			"application/json", "Bearer " + token, `{"resourceLogs":[{"resource":{"a":"` + strings.Repeat("x", 4000) + `"},"scopeLogs":[{"logRecords":[{}` + strings.Repeat(",{}", 400) + `]}]}]}`,
			413, `"code":3`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, push.Options{Kind: push.OTLP, MaxBody: 1 << 16})
			status, answer, _ := b.do("POST", "/v1/logs", test.body, header{"Authorization": test.auth, "Content-Type": test.typ})
			if status != test.status || !strings.Contains(answer, test.answer) && answer != strings.TrimSpace(test.answer) {
				t.Errorf("%d %q", status, answer)
			}
			b.want()
		})
	}
}
