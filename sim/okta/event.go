// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"encoding/json"
	"net/netip"
	"time"
)

// event is a LogEvent, in the order in which Okta writes its members.
type event struct {
	at time.Time // published

	Actor          party          `json:"actor"`
	Client         client         `json:"client"`
	Device         *device        `json:"device"`
	Authentication authentication `json:"authenticationContext"`
	Message        string         `json:"displayMessage"`
	Type           string         `json:"eventType"`
	Outcome        outcome        `json:"outcome"`
	Published      string         `json:"published"`
	Security       security       `json:"securityContext"`
	Severity       string         `json:"severity"`
	Debug          debug          `json:"debugContext"`
	Legacy         *string        `json:"legacyEventType"`
	Transaction    transaction    `json:"transaction"`
	UUID           string         `json:"uuid"`
	Version        string         `json:"version"`
	Request        request        `json:"request"`
	Target         []party        `json:"target"`
}

// party is an actor or a target.
type party struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	AlternateID string         `json:"alternateId"`
	DisplayName string         `json:"displayName"`
	Detail      map[string]any `json:"detailEntry"`
}

type client struct {
	UserAgent *agent     `json:"userAgent"`
	Zone      string     `json:"zone"`
	Device    string     `json:"device"`
	ID        *string    `json:"id"`
	Address   *string    `json:"ipAddress"`
	Geography *geography `json:"geographicalContext"`
}

type agent struct {
	Raw     string `json:"rawUserAgent"`
	OS      string `json:"os"`
	Browser string `json:"browser"`
}

type geography struct {
	City    string  `json:"city"`
	State   *string `json:"state"`
	Country string  `json:"country"`
	Postal  *string `json:"postalCode"`
	Place   point   `json:"geolocation"`
}

type point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type device struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Platform   string `json:"platform"`
	Managed    bool   `json:"managed"`
	Registered bool   `json:"registered"`
}

type authentication struct {
	Provider   *string `json:"authenticationProvider"`
	CredFrom   *string `json:"credentialProvider"`
	CredType   *string `json:"credentialType"`
	Issuer     *string `json:"issuer"`
	Interface  *string `json:"interface"`
	Step       int     `json:"authenticationStep"`
	Root       *string `json:"rootSessionId"`
	ExternalID *string `json:"externalSessionId"`
}

type outcome struct {
	Result string  `json:"result"`
	Reason *string `json:"reason"`
}

type security struct {
	Number *int    `json:"asNumber"`
	Org    *string `json:"asOrg"`
	ISP    *string `json:"isp"`
	Domain *string `json:"domain"`
	Proxy  *bool   `json:"isProxy"`
}

type debug struct {
	Data map[string]string `json:"debugData"`
}

type transaction struct {
	Type   string         `json:"type"`
	ID     string         `json:"id"`
	Detail map[string]any `json:"detail"`
}

type request struct {
	Chain []hop `json:"ipChain"`
}

type hop struct {
	IP        string     `json:"ip"`
	Geography *geography `json:"geographicalContext"`
	Version   string     `json:"version"`
	Source    *string    `json:"source"`
}

func (e *event) json() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // there is nothing in it that cannot be written
	}
	return b
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// from says where the request of an event comes from.
func (e *event) from(addr string, g *geography, ua *agent, kind string) {
	e.Client = client{UserAgent: ua, Zone: "null", Device: kind, Address: text(addr), Geography: g}
	e.Request.Chain = []hop{}
	if ip, err := netip.ParseAddr(addr); err == nil {
		version := "V4"
		if ip.Is6() {
			version = "V6"
		}
		e.Request.Chain = append(e.Request.Chain, hop{IP: addr, Geography: g, Version: version})
	}
}
