// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// This file is what canaries do (package canary). Nothing else in a tenant is changed by this program.

// DescribeGroup sets the description of a group (https://learn.microsoft.com/graph/api/group-update).
func (c *Client) DescribeGroup(ctx context.Context, p budget.Priority, group, text string) error {
	body, err := json.Marshal(map[string]string{"description": text})
	if err != nil {
		return err
	}
	return c.Tell(ctx, p, rest.Call{Op: "group", Method: http.MethodPatch, URL: c.root.JoinPath("v1.0/groups", group), Body: body, Done: http.StatusNoContent})
}

// PutFile puts a file of text into the root of a drive, which is a document library
// (https://learn.microsoft.com/graph/api/driveitem-put-content).
func (c *Client) PutFile(ctx context.Context, p budget.Priority, drive, name, text string) error {
	k := rest.Call{Op: "file", Method: http.MethodPut, URL: c.file(drive, name+":", "content"), Body: []byte(text), Accept: "{"}
	k.Header = http.Header{"Content-Type": {"text/plain"}}
	return c.JSON(ctx, p, k, func(root jsontape.Value, _ *rest.Answer) error {
		if string(root.Get("name").Str()) != name {
			return &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer is not the file that was put there"}
		}
		return nil
	})
}

// DeleteFile moves a file of a drive to the recycle bin (https://learn.microsoft.com/graph/api/driveitem-delete). That it is
// not there is no error.
func (c *Client) DeleteFile(ctx context.Context, p budget.Priority, drive, name string) error {
	err := c.Tell(ctx, p, rest.Call{Op: "file", Method: http.MethodDelete, URL: c.file(drive, name), Done: http.StatusNoContent})
	if rest.Of(err).Status == http.StatusNotFound && rest.Of(err).Code == "itemNotFound" {
		return nil
	}
	return err
}

func (c *Client) file(drive string, path ...string) *url.URL {
	return c.root.JoinPath(append([]string{"v1.0/drives", url.PathEscape(drive), "root:"}, path...)...)
}

// SendMail sends a mail of text from a mailbox to itself and keeps no copy among those that were sent
// (https://learn.microsoft.com/graph/api/user-sendmail).
func (c *Client) SendMail(ctx context.Context, p budget.Priority, mailbox, subject, text string) error {
	type address struct {
		Address string `json:"address"`
	}
	type recipient struct {
		EmailAddress address `json:"emailAddress"`
	}
	body, err := json.Marshal(map[string]any{
		"saveToSentItems": false,
		"message": map[string]any{
			"subject": subject, "body": map[string]string{"contentType": "Text", "content": text}, "toRecipients": []recipient{{address{mailbox}}},
		},
	})
	if err != nil {
		return err
	}
	return c.Tell(ctx, p, rest.Call{Op: "mail", Method: http.MethodPost, URL: c.mailbox(mailbox, "sendMail"), Body: body, Done: http.StatusAccepted})
}

var messageID = regexp.MustCompile(`^[A-Za-z0-9_=+/-]{1,1000}$`)

// DeleteMail deletes the mails of a subject, which has no quote, from a mailbox, for good
// (https://learn.microsoft.com/graph/api/user-list-messages, message-permanentdelete), and returns how many there were.
func (c *Client) DeleteMail(ctx context.Context, p budget.Priority, mailbox, subject string) (n int, err error) {
	k := rest.Call{Op: "mail", Method: http.MethodGet, URL: c.mailbox(mailbox, "messages"), Accept: "{"}
	k.URL.RawQuery = "$filter=" + url.PathEscape("subject eq '"+subject+"'") + "&$select=id,subject&$top=10"
	var ids []string
	err = c.JSON(ctx, p, k, func(root jsontape.Value, _ *rest.Answer) error {
		list := root.Get("value")
		if list.Kind() != jsontape.Array {
			return &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer has no list of values"}
		}
		for v := list.First(); v.Exists(); v = v.Next() {
			id := string(v.Get("id").Str())
			// Nothing is deleted that is not ours, whatever the service takes the filter for.
			if string(v.Get("subject").Str()) != subject || !messageID.MatchString(id) {
				return &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassHostile, Message: "the answer has a mail that was not asked for"}
			}
			ids = append(ids, id)
		}
		return nil
	})
	for _, id := range ids {
		if err == nil {
			err = c.Tell(ctx, p, rest.Call{Op: "mail", Method: http.MethodPost, URL: c.mailbox(mailbox, "messages", url.PathEscape(id), "permanentDelete"), Done: http.StatusNoContent})
		}
		if e := rest.Of(err); e.Status == http.StatusNotFound {
			err = nil
		}
	}
	return len(ids), err
}

func (c *Client) mailbox(mailbox string, path ...string) *url.URL {
	return c.root.JoinPath(append([]string{"v1.0/users", url.PathEscape(mailbox)}, path...)...)
}
