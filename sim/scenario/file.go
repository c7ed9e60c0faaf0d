// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// file is the form of a scenario file. The doc tags make the reference.
type file struct {
	Name       string               `toml:"name" doc:"What the scenario is called in commands: small letters, digits, dashes. Needed."`
	Title      string               `toml:"title" doc:"What people call it. Needed."`
	Text       string               `toml:"text" doc:"What happens, in a paragraph or two."`
	References []string             `toml:"references" doc:"Addresses of what it was made from."`
	People     map[string]people    `toml:"people" doc:"People of the company by the name that steps use for them: [people.NAME]."`
	Addresses  map[string]addresses `toml:"addresses" doc:"Where acts come from: [addresses.NAME]."`
	Agents     map[string][]string  `toml:"agents" doc:"Lists of user agents by the name that steps use; each act takes one of the list."`
	Steps      []step               `toml:"step" doc:"What is done: [[step]], at least one."`
}

// people chooses people of the company.
type people struct {
	Departments    []string `toml:"departments" doc:"Only of these departments."`
	Titles         []string `toml:"titles" doc:"Only people whose title begins so, for example \"Chief\"."`
	Administrators bool     `toml:"administrators" doc:"Only people who administer the tenant."`
	Count          int      `toml:"count" doc:"How many; 1 to 500, 1 if not given. A company that has fewer gives those it has, and one that has none gives others."`
}

// addresses are where acts come from.
type addresses struct {
	Pool  string   `toml:"pool" doc:"residential: homes of strangers; hosting: rented servers; home or office: of the person who acts; list: those in list."`
	Count int      `toml:"count" doc:"How many different ones; 1 to 100000, 1 if not given. Not for home, office and list."`
	List  []string `toml:"list" doc:"The addresses themselves."`
}

// step is one thing that is done, once or many times.
type step struct {
	ID        string   `toml:"id" doc:"Names the step in events and for after. Needed; small letters, digits, dashes."`
	Title     string   `toml:"title" doc:"What the step is, in a few words."`
	Text      string   `toml:"text" doc:"What happens, for people."`
	Attack    []string `toml:"attack" doc:"Techniques of MITRE ATT&CK, such as \"T1110.003\"."`
	Kind      string   `toml:"kind" doc:"What is done: see below. Needed."`
	At        duration `toml:"at" doc:"When it begins, counted from the start of the scenario or, with after, from the end of that step: \"90m\", \"2d12h\". 0 if not given."`
	After     string   `toml:"after" doc:"The id of an earlier step."`
	Over      duration `toml:"over" doc:"How long it lasts, if it is done more than once."`
	Spread    string   `toml:"spread" doc:"How the acts lie in over: even (if not given), random, business (random, in working hours from Monday to Friday as far as there are any)."`
	Jitter    duration `toml:"jitter" doc:"Each act is up to this much later."`
	Count     int      `toml:"count" doc:"How often; 1 to 10000. Once for each target if not given."`
	Addresses string   `toml:"addresses" doc:"Where it comes from: a name of [addresses]. If not given, where the session began; without one, always the same home of a stranger."`
	Agent     string   `toml:"agent" doc:"A name of [agents], or own: the device and the program of the person who acts. A common browser if not given."`
	By        string   `toml:"by" doc:"Who acts: an account (a name of [people], what stands before the @, the name of an add-user step) that has signed in in an earlier step, or an application by a credential that an earlier step gave it."`
	Targets   []string `toml:"targets" doc:"Accounts: names of [people], or what stands before the @."`

	Client       string   `toml:"client" doc:"The application that is signed in with; \"Microsoft Office\" if not given."`
	Direct       bool     `toml:"direct" doc:"Ask the token endpoint with name and password, as old programs do."`
	Strong       bool     `toml:"strong" doc:"With a second factor, the user's own or a stolen one."`
	Applications []string `toml:"applications" doc:"Applications that it is about, by display name: of the tenant, or of an earlier add-application step."`
	Names        []string `toml:"names" doc:"Names of what is made: display names of applications, what stands before the @ of accounts, names of rules, keys, devices."`
	DisplayName  string   `toml:"display_name" doc:"Display name of the new account."`
	Weak         bool     `toml:"weak" doc:"Leave the new account out of the policy that asks for a second factor."`
	On           string   `toml:"on" doc:"What gets the credential: application (if not given) or service-principal."`
	Credential   string   `toml:"credential" doc:"password (if not given) or certificate."`
	Life         duration `toml:"life" doc:"How long the credential is good; \"365d\" if not given."`
	Resource     string   `toml:"resource" doc:"The service that rights are given on, by display name."`
	Role         string   `toml:"role" doc:"An app role's value, or the name of a directory role."`
	Scope        string   `toml:"scope" doc:"Delegated permissions, separated by blanks."`
	Everybody    bool     `toml:"everybody" doc:"Consent for all users, which only administrators can."`
	Folders      []string `toml:"folders" doc:"Folders that are read, by their English names; Inbox if not given."`
	Items        []int    `toml:"items" doc:"Fewest and most messages in a record, or the sizes of files in bytes, as [3, 20]."`
	Queries      []string `toml:"queries" doc:"What is searched for, in turn."`
	To           []string `toml:"to" doc:"Mail addresses."`
	Subjects     []string `toml:"subjects" doc:"Subjects of mails, in turn."`
	Words        []string `toml:"words" doc:"The rule works on mails with one of these words."`
	Folder       string   `toml:"folder" doc:"The rule moves mails here; files are downloaded from here."`
	Delete       bool     `toml:"delete" doc:"The rule deletes mails."`
	Rights       string   `toml:"rights" doc:"FullAccess or SendAs."`
	Trustee      string   `toml:"trustee" doc:"The account that is let in."`
	Restore      bool     `toml:"restore" doc:"Switch it on again instead."`
	Method       string   `toml:"method" doc:"Kind of sign-in method: phone, microsoftAuthenticator, fido2, softwareOath."`

	kind  *kind
	begin time.Duration
}

// duration is a length of time in days, hours, minutes, seconds: "1d12h".
type duration time.Duration

const maxDuration = 90 * 24 * time.Hour

// UnmarshalText reads the form above.
func (d *duration) UnmarshalText(text []byte) error {
	s := string(text)
	bad := fmt.Errorf("%.40q is no length of time: write it like \"90m\" or \"2d12h\"", s)
	if s == "" {
		return bad
	}
	total := time.Duration(0)
	units := []struct {
		letter byte
		length time.Duration
	}{{'d', 24 * time.Hour}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if i < 1 || i > 7 {
			return bad
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil {
			return bad
		}
		for len(units) > 0 && units[0].letter != s[i] {
			units = units[1:]
		}
		if len(units) == 0 {
			return bad
		}
		total += time.Duration(n) * units[0].length
		units, s = units[1:], s[i+1:]
		if total > maxDuration {
			return errors.New("longer than 90 days: no step of a scenario may be")
		}
	}
	*d = duration(total)
	return nil
}
