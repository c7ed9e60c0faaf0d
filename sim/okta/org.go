// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"net/netip"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// org is the company as Okta knows it.
type org struct {
	company *company.Company
	host    string
	seed    uint64
	apps    []party
}

func newOrg(c *company.Company) org {
	brand, _, _ := strings.Cut(c.Domain(), ".")
	o := org{company: c, host: brand + ".okta.example", seed: hash(c.Tenant())}
	for _, name := range appNames {
		mode := "SAML_2_0"
		if hash(name)%2 == 0 && name != office {
			mode = "OPENID_CONNECT"
		}
		o.apps = append(o.apps, party{
			o.key("0oa", name, 17), "AppInstance", name, name, map[string]any{"signOnModeType": mode},
		})
	}
	return o
}

// office is the first application, the one whose other side sim/m365 shows.
const office = "Microsoft Office 365"

var appNames = []string{office, "Wayfare Travel", "Ledgerline Expenses", "Pilotage HR", "Inkwell Sign", "Cartage Helpdesk", "Northlight Wiki", "Quarry Code"}

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// key makes an id as Okta has them: a prefix that says of what, and letters and digits.
func (o *org) key(prefix, of string, n int) string {
	h := record.Mix(hash(of), o.seed)
	b := []byte(prefix)
	for i := range n {
		h = record.Mix(h, uint64(i))
		b = append(b, digits[h%uint64(len(digits))])
	}
	return string(b)
}

// user is an account by its mail address.
func (o *org) user(mail string) party {
	p := party{ID: o.key("00u", strings.ToLower(mail), 17), Type: "User", AlternateID: mail, DisplayName: mail}
	if n, ok := o.company.Find(mail); ok {
		p.DisplayName = o.company.Person(n).DisplayName
	}
	return p
}

func (o *org) group(name string) party {
	return party{ID: o.key("00g", name, 17), Type: "UserGroup", AlternateID: "unknown", DisplayName: name}
}

func (o *org) thing(prefix, kind, name string) party {
	return party{ID: o.key(prefix, name, 17), Type: kind, AlternateID: "unknown", DisplayName: name}
}

func (o *org) policy() party { return o.thing("00p", "PolicyEntity", "Everybody, with two factors") }
func (o *org) rule() party   { return o.thing("0pr", "PolicyRule", "Once in a session") }

// system is Okta itself.
func (o *org) system() party {
	return party{o.key("00u", "system", 17), "SystemPrincipal", "system@okta.com", "Okta System", nil}
}

// where tells the place of an address that a person of the company has; nil for others.
func (o *org) where(mail, addr string) *geography {
	n, ok := o.company.Find(mail)
	ip, err := netip.ParseAddr(addr)
	if !ok || err != nil {
		return nil
	}
	p := o.company.Person(n)
	if !p.OfficeNetwork.Contains(ip) && p.Home != ip && !p.HomeIPv6.Contains(ip) && !carriers.Contains(ip) && !offices.Contains(ip) {
		return nil
	}
	at, ok := cities[p.Office.City]
	if !ok {
		return nil
	}
	return &geography{City: p.Office.City, Country: at.country, Place: at.point}
}

// The networks of sim/company.
var (
	carriers = netip.MustParsePrefix("198.18.0.0/15")
	offices  = netip.MustParsePrefix("2001:db8:100::/40")
)

// cities are where the company's offices are.
var cities = map[string]struct {
	country string
	point
}{
	"Rotterdam": {"Netherlands", point{51.92, 4.48}}, "Boston": {"United States", point{42.36, -71.06}}, "Leeds": {"United Kingdom", point{53.8, -1.55}},
	"Bengaluru": {"India", point{12.97, 77.59}}, "Hamburg": {"Germany", point{53.55, 9.99}}, "Lyon": {"France", point{45.76, 4.84}},
	"Austin": {"United States", point{30.27, -97.74}}, "Curitiba": {"Brazil", point{-25.43, -49.27}}, "Singapore": {"Singapore", point{1.35, 103.82}},
	"Newcastle": {"Australia", point{-32.93, 151.78}},
}

// agentOf says what Okta makes of a browser, and which of its kinds of devices that runs on. system and browser are
// Microsoft's words.
func agentOf(raw, system, browser string) (a *agent, kind string) {
	if raw == "" {
		return nil, "Unknown"
	}
	a, kind = &agent{Raw: raw, OS: "Unknown", Browser: "UNKNOWN"}, "Computer"
	switch {
	case strings.HasPrefix(system, "Windows"):
		a.OS = "Windows " + strings.TrimPrefix(system, "Windows")
	case system == "MacOs":
		a.OS = "Mac OS X"
	case strings.HasPrefix(system, "Ios"):
		a.OS, kind = "iOS (iPhone)", "Mobile"
	case strings.HasPrefix(system, "Android"):
		a.OS, kind = "Android", "Mobile"
	case system == "Linux":
		a.OS = "Linux"
	default:
		kind = "Unknown"
	}
	if browser != "" && browser != "Other" {
		a.Browser = strings.ReplaceAll(strings.ToUpper(strings.TrimPrefix(browser, "Mobile ")), " ", "_")
	}
	return a, kind
}
