// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "database/sql"

// busy says in which ways too many people are around an entity in a period.
type busy uint8

const (
	busyActor  busy = 1 << iota // it acts on a crowd
	busyTarget                  // a crowd acts on it
	busySource                  // a crowd is in the alerts about it
	busyMany                    // more than a few people use it
)

// busyOf judges an entity by the links of all alerts of a period that show it.
func busyOf(k key, alerts [][]link) (b busy) {
	var sides [3]map[key]bool
	users := map[key]bool{}
	for r := range sides {
		sides[r] = map[key]bool{}
	}
	for _, links := range alerts {
		for i := range links {
			e := &links[i]
			if e.key != k {
				continue
			}
			for j := range links {
				o := &links[j]
				if !o.person || o.self == e.self {
					continue
				}
				if o.role == actor {
					users[o.self] = true
				}
				if e.about && across(e.role, o.role) {
					sides[e.role][o.self] = true
				}
			}
		}
	}
	for r, flag := range [...]busy{busyActor, busyTarget, busySource} {
		if len(sides[r]) > crowd {
			b |= flag
		}
	}
	if len(users) > few {
		b |= busyMany
	}
	return b
}

// across reports whether an entity in role o stands on the other side of one in role r.
func across(r, o role) bool {
	switch r {
	case actor:
		return o == target
	case target:
		return o == actor
	}
	return true
}

// bonds returns the links by which a node joins: those that it is about, and the shared ones
// that it shows and few people use. A crowd is not joined by what it is the crowd of.
func bonds(n *node, busyAt func(key, int64) busy) []link {
	p := period(n.first)
	flags := make([]busy, len(n.links))
	for i := range n.links {
		flags[i] = busyAt(n.links[i].key, p)
	}
	var list []link
	for i := range n.links {
		l := n.links[i]
		for j := range n.links {
			e := &n.links[j]
			if i != j && e.about && flags[j]&(busyActor<<e.role) != 0 && across(e.role, l.role) && !l.shared && (l.self != e.self || l.self == key{}) {
				l.about = false
			}
		}
		if l.about || l.shared && flags[i]&busyMany == 0 {
			list = append(list, l)
		}
	}
	return list
}

// judge finds out anew how busy the entities are that more or fewer alerts show now. Where that
// has changed, everything that shows them is joined anew.
func (l *ledger) judge() error {
	for kp := range l.shown {
		was, err := l.busyAt(kp.key, kp.period)
		if err != nil {
			return err
		}
		var all [][]link
		var nums []int64
		err = l.each(`SELECT a.num, a.links FROM incident_link AS k JOIN incident_alert AS a ON a.num = k.num WHERE k.key = $1 AND k.period = $2`,
			[]any{kp.key[:], kp.period}, func(rows *sql.Rows) error {
				var num int64
				var b []byte
				if err := rows.Scan(&num, &b); err != nil {
					return err
				}
				links, err := decodeLinks(b)
				all, nums = append(all, links), append(nums, num)
				return err
			})
		if err != nil {
			return err
		}
		is := busyOf(kp.key, all)
		if is == was {
			continue
		}
		l.busy[kp] = is
		for _, num := range nums {
			l.seeds[num] = true
		}
		if is == 0 {
			err = l.exec(`DELETE FROM incident_busy WHERE key = $1 AND period = $2`, kp.key[:], kp.period)
		} else {
			err = l.exec(`INSERT INTO incident_busy (key, period, flags) VALUES ($1, $2, $3) ON CONFLICT (key, period) DO UPDATE SET flags = excluded.flags`,
				kp.key[:], kp.period, int64(is))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) busyAt(k key, p int64) (busy, error) {
	kp := keyPeriod{k, p}
	if b, ok := l.busy[kp]; ok {
		return b, nil
	}
	var flags int64
	err := l.each(`SELECT flags FROM incident_busy WHERE key = $1 AND period = $2`, []any{k[:], p}, func(rows *sql.Rows) error {
		return rows.Scan(&flags)
	})
	l.busy[kp] = busy(flags)
	return busy(flags), err
}

// bonds returns the bonds of a node by what the database knows of its entities.
func (l *ledger) bonds(n *node) (list []link, err error) {
	list = bonds(n, func(k key, p int64) busy {
		b, e := l.busyAt(k, p)
		if e != nil {
			err = e
		}
		return b
	})
	return list, err
}
