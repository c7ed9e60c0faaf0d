// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// TestWhatIsDone: the requests that change something are those that the vendor documents.
func TestWhatIsDone(t *testing.T) {
	t.Parallel()
	const name, mailbox = "daybreak-canary-X.txt", "canary@contoso.example"
	var asked []string
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type")+" "+string(body)))
		switch {
		case r.Method == http.MethodPut:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id":"1","name":%q}`, name)
		case strings.HasSuffix(r.URL.Path, "/sendMail"):
			w.WriteHeader(http.StatusAccepted)
		case r.Method == http.MethodGet:
			io.WriteString(w, `{"value":[{"id":"AA/b=","subject":"`+name+`"}]}`)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	ctx, p := t.Context(), budget.Head
	n, err := c.DeleteMail(ctx, p, mailbox, name)
	if err != nil || n != 1 {
		t.Errorf("%d mails, %v", n, err)
	}
	for _, err := range []error{
		c.DescribeGroup(ctx, p, "8a07f5a8", "text"), c.PutFile(ctx, p, "b!1", name, "text"), c.DeleteFile(ctx, p, "b!1", name), c.SendMail(ctx, p, mailbox, name, "text"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	const form = "application/json; charset=utf-8"
	want := []string{
		"GET /v1.0/users/canary@contoso.example/messages?$filter=subject%20eq%20%27" + name + "%27&$select=id,subject&$top=10",
		"POST /v1.0/users/canary@contoso.example/messages/AA%2Fb=/permanentDelete",
		"PATCH /v1.0/groups/8a07f5a8 " + form + ` {"description":"text"}`,
		"PUT /v1.0/drives/b%211/root:/" + name + ":/content text/plain text",
		"DELETE /v1.0/drives/b%211/root:/" + name,
		"POST /v1.0/users/canary@contoso.example/sendMail " + form + ` {"message":{"body":{"content":"text","contentType":"Text"},"subject":"` + name +
			`","toRecipients":[{"emailAddress":{"address":"canary@contoso.example"}}]},"saveToSentItems":false}`,
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked:\n%s\nwant:\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}

// TestWhatIsNotDone: an answer that does not say that it is done is an error, and of mails none is deleted that is not ours.
func TestWhatIsNotDone(t *testing.T) {
	t.Parallel()
	answer, status, deleted := "", 200, 0
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "permanentDelete") {
			deleted++
		}
		w.WriteHeader(status)
		io.WriteString(w, answer)
	})
	ctx, p := t.Context(), budget.Head
	for _, s := range []int{200, 201, 202, 404, 500} {
		status, answer = s, "<html>"
		if err := c.DescribeGroup(ctx, p, "1", "text"); rest.Of(err).Status != s {
			t.Errorf("status %d: %v", s, err)
		}
	}
	status = 404
	answer = `{"error":{"code":"itemNotFound","message":"gone"}}`
	if err := c.DeleteFile(ctx, p, "1", "name"); err != nil {
		t.Errorf("a file that is gone: %v", err)
	}
	answer = `{"error":{"code":"ResourceNotFound","message":"no such drive"}}`
	if err := c.DeleteFile(ctx, p, "1", "name"); err == nil {
		t.Error("a drive that is not there is no file that is gone")
	}
	status = 200
	for _, a := range []string{
		`{"value":[{"id":"1","subject":"ours"},{"id":"2","subject":"another"}]}`, `{"value":[{"id":"../1?","subject":"ours"}]}`, `{"value":{}}`, `[]`, `{"name":"another"}`,
	} {
		answer = a
		if n, err := c.DeleteMail(ctx, p, "m@example.com", "ours"); err == nil || deleted != 0 {
			t.Errorf("%s: %d mails of which %d are deleted, %v", a, n, deleted, err)
		}
		if err := c.PutFile(ctx, p, "1", "ours", "text"); err == nil {
			t.Errorf("%s: a file was put", a)
		}
	}
}
