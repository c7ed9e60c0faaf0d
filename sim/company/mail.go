// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Message is a message in a mailbox, by the names that records have for it.
type Message struct {
	ID         string
	InternetID string
	Size       int
}

// dailyMessages is how many messages of a day ordinary life meets in a mailbox,
// see moment.item.
const dailyMessages = 40

// Message is one of the messages that came on a day into a person's mailbox:
// the one that people read there, too. Numbers beyond the day's messages begin
// anew.
func (c *Company) Message(owner int, day time.Time, i int) Message {
	item := record.Mix(record.Mix(c.seed+tagItem, uint64(owner)), uint64(floorDiv(day.Unix(), 86400))<<6|uint64(i%dailyMessages))
	return Message{
		ID:         c.written(owner, func(m *moment) { m.itemID("", owner, item) }),
		InternetID: c.written(owner, func(m *moment) { m.messageID("", item) }),
		Size:       itemSize(item),
	}
}

// MailFolder is the id and the path of a folder in a person's mailbox, which its
// English path names ("Sent Items"); a folder that nobody has has a path only.
func (c *Company) MailFolder(owner int, name string) (id, path string) {
	folder := slices.Index(folderPathsEnglish(), name)
	if folder < 0 {
		return "", `\` + name
	}
	id = c.written(owner, func(m *moment) { m.folderID("", owner, folder) })
	path = c.written(owner, func(m *moment) { m.folderPath("", folder) })
	return id, strings.ReplaceAll(path, `\\`, `\`)
}

func folderPathsEnglish() []string {
	var names []string
	for _, path := range folderPaths[""] {
		names = append(names, strings.ReplaceAll(path[2:], `\\`, `\`))
	}
	return names
}

// MailServer is the machine that a person's mailbox is on.
func (c *Company) MailServer(owner int) string {
	return c.written(owner, func(m *moment) {
		m.server(owner, "")
		m.w = m.w[len(`"OriginatingServer":`):]
	})
}

// written returns a string that ordinary records write.
func (c *Company) written(owner int, write func(*moment)) string {
	m := &moment{c: c, desk: c.officeOf(owner)}
	write(m)
	return strings.Trim(string(m.w), `"`)
}
