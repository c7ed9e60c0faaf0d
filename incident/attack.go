// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"math/bits"
	"strings"
)

// tactics is a set of ATT&CK tactics: a bit for each, in the order of the kill chain.
type tactics uint32

// Tactic is a tactic of MITRE ATT&CK (Enterprise, v18).
type Tactic struct {
	ID   string `json:"id"` // "TA0001"
	Name string `json:"name"`
}

// killChain are the tactics in the order in which ATT&CK's matrix has them.
var killChain = []Tactic{
	{"TA0043", "Reconnaissance"},
	{"TA0042", "Resource Development"},
	{"TA0001", "Initial Access"},
	{"TA0002", "Execution"},
	{"TA0003", "Persistence"},
	{"TA0004", "Privilege Escalation"},
	{"TA0005", "Defense Evasion"},
	{"TA0006", "Credential Access"},
	{"TA0007", "Discovery"},
	{"TA0008", "Lateral Movement"},
	{"TA0009", "Collection"},
	{"TA0011", "Command and Control"},
	{"TA0010", "Exfiltration"},
	{"TA0040", "Impact"},
}

// techniqueTactics says which tactic a technique serves first in a cloud suite, for rules that
// name the technique and not the tactic.
var techniqueTactics = map[string]string{
	"T1589": "TA0043", "T1590": "TA0043", "T1598": "TA0043",
	"T1583": "TA0042", "T1586": "TA0042", "T1078": "TA0001", "T1566": "TA0001", "T1199": "TA0001", "T1190": "TA0001",
	"T1059": "TA0002", "T1204": "TA0002", "T1098": "TA0003", "T1136": "TA0003", "T1137": "TA0003", "T1505": "TA0003", "T1133": "TA0003",
	"T1484": "TA0004", "T1068": "TA0004", "T1562": "TA0005", "T1564": "TA0005", "T1070": "TA0005", "T1550": "TA0005", "T1090": "TA0011",
	"T1110": "TA0006", "T1528": "TA0006", "T1539": "TA0006", "T1556": "TA0006", "T1557": "TA0006", "T1606": "TA0006", "T1621": "TA0006", "T1555": "TA0006", "T1649": "TA0006",
	"T1087": "TA0007", "T1069": "TA0007", "T1526": "TA0007", "T1538": "TA0007", "T1083": "TA0007", "T1534": "TA0008",
	"T1114": "TA0009", "T1213": "TA0009", "T1530": "TA0009", "T1119": "TA0009", "T1071": "TA0011", "T1102": "TA0011",
	"T1048": "TA0010", "T1567": "TA0010", "T1020": "TA0010", "T1537": "TA0010", "T1485": "TA0040", "T1486": "TA0040", "T1531": "TA0040", "T1565": "TA0040", "T1657": "TA0040", "T1496": "TA0040",
}

// tacticsOf reads tags such as "attack.initial-access", "attack.ta0001" and "attack.t1078.004".
// Techniques count only if no tactic is named.
func tacticsOf(tags []string) (set tactics) {
	var implied tactics
	for _, t := range tags {
		name, ok := strings.CutPrefix(strings.ToLower(t), "attack.")
		if !ok {
			continue
		}
		set |= tacticBits[spaces.Replace(name)]
		if technique, _, _ := strings.Cut(strings.ToUpper(name), "."); techniqueTactics[technique] != "" {
			implied |= tacticBits[strings.ToLower(techniqueTactics[technique])]
		}
	}
	if set == 0 {
		return implied
	}
	return set
}

var spaces = strings.NewReplacer("_", " ", "-", " ")

// tacticBits are the tactics by name and id, in lower case.
var tacticBits = func() map[string]tactics {
	bits := map[string]tactics{}
	for i, t := range killChain {
		bits[strings.ToLower(t.Name)], bits[strings.ToLower(t.ID)] = 1<<i, 1<<i
	}
	return bits
}()

func (s tactics) count() int { return bits.OnesCount32(uint32(s)) }

// list returns the tactics in the order of the kill chain.
func (s tactics) list() []Tactic {
	list := make([]Tactic, 0, s.count())
	for i, t := range killChain {
		if s&(1<<i) != 0 {
			list = append(list, t)
		}
	}
	return list
}

// techniquesOf returns the techniques that tags name, as "T1078.004".
func techniquesOf(tags []string) []string {
	var list []string
	for _, t := range tags {
		name, ok := strings.CutPrefix(strings.ToUpper(t), "ATTACK.T")
		if ok && len(name) >= 4 && strings.Trim(name, "0123456789.") == "" {
			list = append(list, "T"+name)
		}
	}
	return list
}
