// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// entityPaths say which attributes of an event name somebody or something: the first of ids that
// is there is its id, the first of names what people call it.
var entityPaths = []struct {
	kind, role string
	ids, names []ocsf.Path
}{
	{"user", "actor", []ocsf.Path{ocsf.PathActorUserEmailAddr, ocsf.PathActorUserName, ocsf.PathActorUserUID}, []ocsf.Path{ocsf.PathActorUserDisplayName, ocsf.PathActorUserName}},
	{"session", "actor", []ocsf.Path{ocsf.PathActorSessionUID, ocsf.PathSessionUID}, nil},
	{"token", "actor", []ocsf.Path{ocsf.PathAuthenticationTokenUID, ocsf.PathActorSessionCredentialUID}, nil},
	{"ip", "source", []ocsf.Path{ocsf.PathSrcEndpointIP, ocsf.PathEvidencesSrcEndpointIP}, nil},
	{"app", "actor", []ocsf.Path{ocsf.PathActorAppUID, ocsf.PathActorAppName}, []ocsf.Path{ocsf.PathActorAppName}},
	{"device", "source", []ocsf.Path{ocsf.PathDeviceUID, ocsf.PathDeviceName, ocsf.PathDeviceHostname}, []ocsf.Path{ocsf.PathDeviceName, ocsf.PathDeviceHostname}},
	{"user", "target", []ocsf.Path{ocsf.PathUserEmailAddr, ocsf.PathUserName, ocsf.PathUserUID}, []ocsf.Path{ocsf.PathUserDisplayName, ocsf.PathUserName}},
	{"user", "target", []ocsf.Path{ocsf.PathEntityUserEmailAddr, ocsf.PathEntityUserName, ocsf.PathEntityUserUID}, []ocsf.Path{ocsf.PathEntityUserName}},
	{"user", "target", []ocsf.Path{ocsf.PathEvidencesUserEmailAddr, ocsf.PathEvidencesUserName}, []ocsf.Path{ocsf.PathEvidencesUserName}},
	{"app", "target", []ocsf.Path{ocsf.PathServiceUID, ocsf.PathServiceName}, []ocsf.Path{ocsf.PathServiceName}},
	{"app", "target", []ocsf.Path{ocsf.PathAppUID, ocsf.PathAppName}, []ocsf.Path{ocsf.PathAppName}},
	{"mailbox", "target", []ocsf.Path{ocsf.PathDatabucketName, ocsf.PathDatabucketUID}, []ocsf.Path{ocsf.PathDatabucketName}},
	{"group", "target", []ocsf.Path{ocsf.PathGroupUID, ocsf.PathGroupName}, []ocsf.Path{ocsf.PathGroupName}},
	{"entity", "target", []ocsf.Path{ocsf.PathEntityUID, ocsf.PathEntityName}, []ocsf.Path{ocsf.PathEntityName}},
	{"file", "target", []ocsf.Path{ocsf.PathFilePath, ocsf.PathFileName}, []ocsf.Path{ocsf.PathFileName}},
}

const maxEntities = 64

// AppendEntities appends those that an event names and that are not there yet, and returns at most
// maxEntities.
func AppendEntities(dst []Entity, e *ocsf.Event) []Entity {
	for i := range entityPaths {
		p := &entityPaths[i]
		id := first(e, p.ids)
		if id == "" || len(dst) >= maxEntities {
			continue
		}
		n := Entity{Type: p.kind, Role: p.role, ID: strings.ToLower(id), Name: first(e, p.names)}
		if n.Type == "entity" {
			n.Type = entityType(string(e.Str(ocsf.PathEntityType)))
		}
		if !known(dst, &n) {
			dst = append(dst, n)
		}
	}
	return dst
}

func known(list []Entity, n *Entity) bool {
	for i := range list {
		if x := &list[i]; x.Type == n.Type && x.Role == n.Role && x.ID == n.ID {
			return true
		}
	}
	return false
}

func first(e *ocsf.Event, paths []ocsf.Path) string {
	for _, p := range paths {
		if s := e.Str(p); len(s) > 0 {
			return string(s)
		}
	}
	return ""
}

// entityType is what an OCSF managed entity is, in the words of [Entity].
func entityType(name string) string {
	switch name = strings.ToLower(name); {
	case strings.Contains(name, "application") || strings.Contains(name, "service principal"):
		return "app"
	case strings.Contains(name, "device"):
		return "device"
	case strings.Contains(name, "domain"):
		return "domain"
	case strings.Contains(name, "mailbox"):
		return "mailbox"
	}
	return "object"
}
