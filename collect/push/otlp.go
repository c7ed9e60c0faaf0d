// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// OTLP, as its specification 1.x says (opentelemetry.io/docs/specs/otlp). A record is one log record in the form of
// OTLP/JSON, however it came:
//
//	{"resource":{…},"resourceSchemaUrl":"…","scope":{…},"scopeSchemaUrl":"…","logRecord":{…},"protobuf":"…"}
//
// protobuf is the log record in base64, where it holds what the members do not say.

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

func (r *Receiver) routeOTLP(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/logs", r.otlp)
	mux.HandleFunc("POST /opentelemetry.proto.collector.logs.v1.LogsService/Export", r.grpc)
}

// otlp answers OTLP/HTTP.
func (r *Receiver) otlp(w http.ResponseWriter, req *http.Request) {
	f := r.admit(req, "Bearer")
	typ, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if f == nil && typ != typeProto && typ != typeJSON {
		f = badType
	}
	var body []byte
	free := func() {}
	if f == nil {
		body, free, f = r.body(w, req)
	}
	defer free()
	rejected := 0
	if f == nil {
		rejected, f = r.export(req, body, typ == typeJSON)
	}
	out, status := exportAnswer(rejected, typ == typeJSON), http.StatusOK
	if f != nil {
		r.refuse(f)
		pushback(w, f)
		out, status = statusAnswer(f, typ != typeProto), f.status
	}
	if typ != typeProto {
		typ = typeJSON
	}
	w.Header().Set("Content-Type", typ)
	w.WriteHeader(status)
	_, _ = w.Write(out)
}

// export stores an ExportLogsServiceRequest and returns how many records it could not take.
func (r *Receiver) export(req *http.Request, body []byte, asJSON bool) (rejected int, f *refusal) {
	o := &otlpBatch{r: r}
	defer func() { r.memory.give(o.built) }()
	f = r.work(len(body), func(k *worker) *refusal {
		o.k = k
		if asJSON {
			return o.fromJSON(body)
		}
		return o.fromProto(body)
	})
	if f == nil {
		_, f = r.store(req.Context(), peer(req.RemoteAddr), &o.batch)
	}
	if f == nil && o.rejected > 0 {
		r.refuse(malformed)
	}
	return o.rejected, f
}

// otlpBatch makes records of a request.
type otlpBatch struct {
	batch
	r        *Receiver
	k        *worker
	built    int // bytes, which are taken from the room of all
	rejected int // elements that are no log records
}

// dressing are the members before a log record.
func dressing(resource, resourceURL, scope, scopeURL []byte) []byte {
	out := []byte{'{'}
	for _, m := range []struct {
		name string
		text []byte
	}{{"resource", resource}, {"resourceSchemaUrl", resourceURL}, {"scope", scope}, {"scopeSchemaUrl", scopeURL}} {
		if len(m.text) > 0 {
			out = append(append(append(append(out, '"'), m.name...), `":`...), m.text...)
			out = append(out, ',')
		}
	}
	return out
}

// add takes a record that is dressing and the members of a log record.
func (o *otlpBatch) add(dressing, name, value []byte, when int64) *refusal {
	size := len(dressing) + len(name) + len(value) + 4
	switch {
	case len(o.records) >= o.r.o.MaxRecords, o.built+size > maxGrowth*o.r.o.MaxBody:
		return tooLarge
	case !o.r.memory.take(size):
		return busy
	}
	o.built += size
	raw := make([]byte, 0, size)
	raw = append(append(append(raw, dressing...), name...), value...)
	if !o.batch.add(o.k.identify, append(raw, '}'), when) {
		return malformed
	}
	return nil
}

// fromJSON cuts the text and leaves what it says as it is, members that nobody knows included.
func (o *otlpBatch) fromJSON(body []byte) *refusal {
	if o.k.tape.Parse(body) != nil || o.k.tape.Root().Kind() != jsontape.Object {
		return malformed
	}
	name := []byte(`"logRecord":`)
	for rl := o.k.tape.Root().Get("resourceLogs").First(); rl.Exists(); rl = rl.Next() {
		for sl := rl.Get("scopeLogs").First(); sl.Exists(); sl = sl.Next() {
			head := dressing(rl.Get("resource").Raw(), rl.Get("schemaUrl").Raw(), sl.Get("scope").Raw(), sl.Get("schemaUrl").Raw())
			for lr := sl.Get("logRecords").First(); lr.Exists(); lr = lr.Next() {
				if lr.Kind() != jsontape.Object {
					o.rejected++
					continue
				}
				when, _ := lr.Get("timeUnixNano").Int()
				if when == 0 {
					when, _ = lr.Get("observedTimeUnixNano").Int()
				}
				if f := o.add(head, name, lr.Raw(), when); f != nil {
					return f
				}
			}
		}
	}
	return nil
}

// fromProto walks the message without decoding it as a whole: what a few bytes of an empty message take in memory is
// paid for one log record at a time.
func (o *otlpBatch) fromProto(body []byte) *refusal {
	return eachField(body, func(n protowire.Number, rl []byte) *refusal {
		if n != 1 { // resource_logs
			return nil
		}
		return o.fromResource(rl)
	})
}

func (o *otlpBatch) fromResource(rl []byte) *refusal {
	var res, url []byte
	f := eachField(rl, func(n protowire.Number, v []byte) *refusal {
		switch n {
		case 1:
			res = message(v, new(resource.Resource))
		case 3:
			url = quoted(v)
		}
		return nil
	})
	if f != nil {
		return f
	}
	return eachField(rl, func(n protowire.Number, sl []byte) *refusal {
		if n != 2 { // scope_logs
			return nil
		}
		return o.fromScope(res, url, sl)
	})
}

func (o *otlpBatch) fromScope(res, resURL, sl []byte) *refusal {
	var scope, url []byte
	f := eachField(sl, func(n protowire.Number, v []byte) *refusal {
		switch n {
		case 1:
			scope = message(v, new(common.InstrumentationScope))
		case 3:
			url = quoted(v)
		}
		return nil
	})
	if f != nil {
		return f
	}
	head := dressing(res, resURL, scope, url)
	return eachField(sl, func(n protowire.Number, lr []byte) *refusal {
		if n != 2 { // log_records
			return nil
		}
		members, when := logRecord(lr)
		return o.add(head, nil, members, when)
	})
}

// eachField calls f with the fields of a message that are bytes.
func eachField(message []byte, f func(protowire.Number, []byte) *refusal) *refusal {
	for len(message) > 0 {
		number, typ, n := protowire.ConsumeTag(message)
		if n < 0 {
			return malformed
		}
		message = message[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, typ, message); n < 0 {
				return malformed
			}
			message = message[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return malformed
		}
		if refused := f(number, v); refused != nil {
			return refused
		}
		message = message[n:]
	}
	return nil
}

// maxDecoded is the longest message that is decoded; in memory it may be fifty times as large.
const maxDecoded = 1 << 20

var (
	decoding = proto.UnmarshalOptions{RecursionLimit: 64}
	encoding = protojson.MarshalOptions{UseEnumNumbers: true}
)

// message returns the JSON of a message, and an object with its bytes if it cannot be said in JSON.
func message(v []byte, m proto.Message) []byte {
	if len(v) <= maxDecoded && decoding.Unmarshal(v, m) == nil && !unknown(m.ProtoReflect()) {
		if text := marshal(m); text != nil {
			return text
		}
	}
	return append(append([]byte(`{"protobuf":`), inBase64(v)...), '}')
}

// logRecord returns the members of a log record, and its time in nanoseconds.
func logRecord(v []byte) (members []byte, when int64) {
	m := new(logs.LogRecord)
	if len(v) > maxDecoded || decoding.Unmarshal(v, m) != nil {
		return append([]byte(`"protobuf":`), inBase64(v)...), 0
	}
	if when = int64(m.TimeUnixNano); when <= 0 {
		when = max(0, int64(m.ObservedTimeUnixNano))
	}
	more := unknown(m.ProtoReflect())
	// Ids are written in hexadecimal digits, unlike other bytes.
	trace, span := m.TraceId, m.SpanId
	m.TraceId, m.SpanId = nil, nil
	out := marshal(m)
	if out == nil {
		return append([]byte(`"protobuf":`), inBase64(v)...), when
	}
	out = out[:len(out)-1]
	for _, id := range []struct {
		name string
		id   []byte
	}{{"traceId", trace}, {"spanId", span}} {
		if len(id.id) == 0 {
			continue
		}
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), id.name...), `":"`...)
		out = append(hex.AppendEncode(out, id.id), '"')
	}
	members = append(append([]byte(`"logRecord":`), out...), '}')
	if more {
		members = append(append(members, `,"protobuf":`...), inBase64(v)...)
	}
	return members, when
}

// marshal writes the same message as the same bytes in every version of the program: protojson strews blanks, so that nobody relies
// on its form, and equal records have to be equal. It returns nil for what JSON cannot say.
func marshal(m proto.Message) []byte {
	text, err := encoding.Marshal(m)
	var tight bytes.Buffer
	if err != nil || json.Compact(&tight, text) != nil {
		return nil
	}
	return tight.Bytes()
}

func inBase64(v []byte) []byte {
	return append(base64.StdEncoding.AppendEncode([]byte{'"'}, v), '"')
}

func quoted(v []byte) []byte { return jsontape.AppendQuoted(nil, v) }

// unknown reports whether a message has fields that this version does not know, anywhere.
func unknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(d protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case found || d.Message() == nil:
		case d.IsList():
			for i := 0; i < v.List().Len() && !found; i++ {
				found = unknown(v.List().Get(i).Message())
			}
		default:
			found = unknown(v.Message())
		}
		return !found
	})
	return found
}

const rejectedMessage = "elements of logRecords that are no objects were not taken"

// exportAnswer is an ExportLogsServiceResponse.
func exportAnswer(rejected int, asJSON bool) []byte {
	switch {
	case asJSON && rejected == 0:
		return []byte("{}")
	case asJSON:
		out, _ := json.Marshal(map[string]any{"partialSuccess": map[string]any{"rejectedLogRecords": rejected, "errorMessage": rejectedMessage}})
		return out
	case rejected == 0:
		return nil
	}
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(rejected))
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), rejectedMessage)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

// statusAnswer is a google.rpc.Status.
func statusAnswer(f *refusal, asJSON bool) []byte {
	if asJSON {
		out, _ := json.Marshal(map[string]any{"code": f.grpc, "message": f.message})
		return out
	}
	out := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(f.grpc))
	return protowire.AppendString(protowire.AppendTag(out, 2, protowire.BytesType), f.message)
}
