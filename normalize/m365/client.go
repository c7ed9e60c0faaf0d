// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// addressMembers are the members that hold where a request came from, the best
// first. A record that has several usually repeats one; what differs from the
// one taken (ClientIPAddress can be a proxy of Microsoft's) stays unmapped.
var addressMembers = [...]member{mClientIP, mClientIPAddress, mActorIPAddress, mUserIP, mSenderIP}

// client says where the request came from and with which program.
func (m *mapper) client() {
	var taken field.Endpoint
	found := false
	for _, n := range addressMembers {
		s := m.str(n)
		if !meaningful(s) {
			continue
		}
		ep, ok := field.ParseEndpoint(s)
		switch {
		case !ok:
			m.issue(addressIssues[n])
		case !found:
			found, taken = true, ep
			m.carried[n] = m.endpoint(ep, s)
		default:
			m.carried[n] = ep.Addr.IsValid() && ep.Addr == taken.Addr && (ep.Port == 0 || ep.Port == taken.Port)
		}
	}
	m.agent()
}

var addressIssues = map[member]string{
	mClientIP: "ClientIP: not an address", mClientIPAddress: "ClientIPAddress: not an address", mActorIPAddress: "ActorIpAddress: not an address",
	mUserIP: "UserIp: not an address", mSenderIP: "SenderIp: not an address",
}

// endpoint sets the client's address where the class has a place for it: a
// finding's is in its evidence, and where a class knows no network at all, it
// is the device's. It reports whether there was a place for all of it.
func (m *mapper) endpoint(ep field.Endpoint, s []byte) (whole bool) {
	e := m.e
	host, ip, port := ocsf.PathSrcEndpointHostname, ocsf.PathSrcEndpointIP, ocsf.PathSrcEndpointPort
	switch m.rule.class {
	case ocsf.ClassDetectionFinding:
		host, ip, port = ocsf.PathNone, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointPort
	case ocsf.ClassApplicationLifecycle, ocsf.ClassBaseEvent:
		host, ip, port = ocsf.PathNone, ocsf.PathDeviceIP, ocsf.PathNone
	}
	whole = true
	if len(ep.Host) > 0 {
		e.SetString(host, ep.Host)
		whole = host != ocsf.PathNone
	}
	if ep.Port != 0 {
		e.SetInt(port, int64(ep.Port))
		whole = whole && port != ocsf.PathNone
	}
	switch {
	case !ep.Addr.IsValid():
		return whole
	case ep.Addr.Is4() && len(s) <= 15 && s[0] != '[' && ep.Port == 0 && ep.Host == nil:
		e.SetString(ip, s) // canonical as it stands
	default:
		var buf [64]byte
		b := ep.Addr.AppendTo(buf[:0])
		e.SetString(ip, e.Own(unsafe.String(&b[0], len(b))))
	}
	if e.Str(ocsf.PathDeviceOSName) != nil {
		e.SetString(ocsf.PathDeviceIP, e.Str(ip))
	}
	return whole
}

// agent sets the user agent: the one that a browser sent, else how Exchange
// describes its client. ExtendedProperties holds it by its name in sign-ins and
// in a JSON text, additionalDetails, in the directory's records.
func (m *mapper) agent() {
	const to = ocsf.PathHTTPRequestUserAgent
	e := m.e
	if !m.rule.class.Has(to) {
		return
	}
	for c := m.v[mExtendedProperties].First(); c.Exists(); c = c.Next() {
		name, value := pair(c)
		switch string(name) {
		case "UserAgent":
			e.SetString(to, value.Str())
		case "additionalDetails":
			if s := value.Str(); bytes.Contains(s, userAgentKey) && m.inner.Parse(s) == nil {
				if ua := m.inner.Root().Get("User-Agent").Str(); len(ua) > 0 {
					e.SetString(to, e.Own(unsafe.String(&ua[0], len(ua))))
				}
			}
		case "RequestType":
			if m.rule.class == ocsf.ClassAuthentication {
				id := authProtocol(value.Str())
				e.SetInt(ocsf.PathAuthProtocolID, id)
				if id == 99 {
					e.SetString(ocsf.PathAuthProtocol, value.Str())
				}
			}
		}
	}
	if e.Str(to) == nil {
		m.first(to, mUserAgent, mClientInfoString, mActorInfoString)
	}
}

var userAgentKey = []byte(`"User-Agent"`)

// authProtocol is OCSF's auth_protocol_id for a RequestType ("OAuth2:Authorize",
// "Saml2:processrequest", "Login:login").
func authProtocol(s []byte) int64 {
	switch {
	case bytes.HasPrefix(s, []byte("OAuth2:")):
		return 6
	case bytes.HasPrefix(s, []byte("Saml")):
		return 5
	}
	return 99
}

// pair reads one of a list's name and value pairs. Microsoft writes lists of
// {Name, Value} and {Key, Value}, and at times an object instead of the list,
// whose members are the pairs.
func pair(c jsontape.Value) (name []byte, value jsontape.Value) {
	if c.Kind() != jsontape.Object {
		return c.Key(), c
	}
	for v := c.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "Name", "Key", "name", "key":
			name = v.Str()
		case "Value", "NewValue", "value":
			value = v
		}
	}
	return name, value
}

// lookup finds the value of a name in a list of pairs.
func lookup(list jsontape.Value, name string) jsontape.Value {
	for c := list.First(); c.Exists(); c = c.Next() {
		if n, v := pair(c); string(n) == name {
			return v
		}
	}
	return jsontape.Value{}
}
