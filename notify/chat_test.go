// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/notify"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

// hostile is a title by somebody who wants to be clicked on.
const hostile = "<!channel> [click](https://evil.example) *now*\r\nBcc: all@contoso.example & \u202egnp"

func hostileAlert() detect.Alert {
	a := alert(1, "high", "ann@contoso.example")
	a.Title = hostile
	return a
}

func TestSlack(t *testing.T) {
	recv := newReceiver(t, nil)
	t.Setenv("SLACK_URL", recv.URL+"/services/T0/B0/token")
	r := newRig(t, notify.Channel{Name: "slack", Kind: notify.Slack, Secret: reference(t, "env:SLACK_URL")})
	r.take(hostileAlert())
	stop := r.run()
	g := recv.next()
	r.empty()
	stop()
	if g.path != "/services/T0/B0/token" {
		t.Errorf("path %s", g.path)
	}
	var m struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal(g.body, &m); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Text, "New incident (high, open): &lt;!channel&gt; [click]") || strings.ContainsAny(m.Text, "\r\n\u202e<>") {
		t.Errorf("text %q", m.Text)
	}
	if len(m.Blocks) != 3 || m.Blocks[0].Text.Type != "plain_text" || len(m.Blocks[0].Text.Text) > 150 ||
		!strings.Contains(m.Blocks[1].Text.Text, "*About* ann@contoso.example\n") || !strings.HasPrefix(m.Blocks[2].Text.Text, "<https://daybreak.example/incidents/i0") {
		t.Errorf("%+v", m.Blocks)
	}
}

func TestTeams(t *testing.T) {
	recv := newReceiver(t, nil)
	t.Setenv("TEAMS_URL", recv.URL+"/workflows/x")
	r := newRig(t, notify.Channel{Name: "teams", Kind: notify.Teams, Secret: reference(t, "env:TEAMS_URL")})
	r.take(hostileAlert())
	stop := r.run()
	g := recv.next()
	r.empty()
	stop()
	var m struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type, Text string
					Facts      []struct{ Title, Value string }
				}
				Actions []struct{ Type, URL string }
			}
		}
	}
	if err := json.Unmarshal(g.body, &m); err != nil {
		t.Fatal(err)
	}
	if m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		t.Fatalf("%s", g.body)
	}
	card := m.Attachments[0].Content
	if card.Type != "AdaptiveCard" || !strings.Contains(card.Body[0].Text, `\[click\]\(https://evil.example\)`) || len(card.Body[1].Facts) < 5 || card.Actions[0].Type != "Action.OpenUrl" {
		t.Errorf("%+v", card)
	}
}

// smtpServer takes mails on loopback; refuse makes it refuse the first recipient for good.
func smtpServer(t *testing.T, refuse bool) (address string, mails chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	mails = make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go talk(c, refuse, mails)
		}
	}()
	return l.Addr().String(), mails
}

func talk(c net.Conn, refuse bool, mails chan<- string) {
	defer c.Close()
	r := bufio.NewReader(c)
	var text strings.Builder
	fmt.Fprint(c, "220 mail.example\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		text.WriteString(line)
		switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
		case "EHLO":
			fmt.Fprint(c, "250-mail.example\r\n250 AUTH PLAIN\r\n")
		case "AUTH":
			fmt.Fprint(c, "235 ok\r\n")
		case "RCPT":
			if refuse {
				fmt.Fprint(c, "550 no such box\r\n")
				continue
			}
			fmt.Fprint(c, "250 ok\r\n")
		case "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			for line != ".\r\n" {
				if line, err = r.ReadString('\n'); err != nil {
					return
				}
				text.WriteString(line)
			}
			fmt.Fprint(c, "250 taken\r\n")
			mails <- text.String()
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 ok\r\n")
		}
	}
}

func TestEmail(t *testing.T) {
	address, mails := smtpServer(t, false)
	r := newRig(t, notify.Channel{
		Name: "mail", Kind: notify.Email, Server: address, User: "daybreak", Secret: reference(t, "env:NOTIFY_SECRET"),
		From: "Daybreak <daybreak@contoso.example>", To: "soc@contoso.example, Eve <eve@contoso.example>",
	})
	r.take(hostileAlert())
	stop := r.run()
	var session string
	select {
	case session = <-mails:
	case <-time.After(2 * time.Minute):
		t.Fatal("no mail came")
	}
	r.empty()
	stop()
	login := base64.StdEncoding.EncodeToString([]byte("\x00daybreak\x00" + secret))
	for _, want := range []string{"AUTH PLAIN " + login, "MAIL FROM:<daybreak@contoso.example>", "RCPT TO:<soc@contoso.example>", "RCPT TO:<eve@contoso.example>"} {
		if !strings.Contains(session, want+"\r\n") && !strings.Contains(session, want+" ") {
			t.Errorf("the session lacks %q:\n%s", want, session)
		}
	}
	_, text, _ := strings.Cut(session, "DATA\r\n")
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "[Daybreak] New incident (high, open): <!channel>") || m.Header.Get("Bcc") != "" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("subject %q, %v, header %v", subject, err, m.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || !strings.Contains(string(body), "About:       ann@contoso.example\r\n") {
		t.Errorf("%v %s", err, body)
	}
}

func TestEmailThatIsRefused(t *testing.T) {
	address, _ := smtpServer(t, true)
	r := newRig(t, notify.Channel{Name: "mail", Kind: notify.Email, Server: address, From: "a@contoso.example", To: "b@contoso.example"})
	r.take(alert(1, "high", "ann"))
	stop := r.run()
	r.empty()
	stop()
	if dead := r.dead(); len(dead) != 1 || dead[0].Error != "SMTP 550 no such box" {
		t.Errorf("%+v", dead)
	}
}

func TestChannelsThatAreWrong(t *testing.T) {
	ref := reference(t, "env:X")
	good := notify.Channel{Name: "x", Kind: notify.Webhook, URL: "https://hooks.contoso.example/in", Secret: ref}
	for _, test := range []struct {
		change func(*notify.Channel)
		want   string
	}{
		{func(*notify.Channel) {}, ""},
		{func(c *notify.Channel) { c.URL = "http://127.0.0.1:8080/x" }, ""},
		{func(c *notify.Channel) { c.Hosts = []string{"*.Contoso.example"} }, ""},
		{func(c *notify.Channel) { c.Hosts = []string{"contoso.example", "*.fabrikam.example"} }, "its host is not among those that are allowed"},
		{func(c *notify.Channel) { c.URL = "http://hooks.contoso.example/in" }, "only HTTPS is used"},
		{func(c *notify.Channel) { c.URL = "https://u:p@hooks.contoso.example/in" }, "a name or a password"},
		{func(c *notify.Channel) { c.URL = "https://" }, "its url cannot be read"},
		{func(c *notify.Channel) { c.URL = "ftp://x" }, "only HTTPS"},
		{func(c *notify.Channel) { c.Secret = credential.Reference{} }, "needs a secret"},
		{func(c *notify.Channel) { c.Name = "" }, "has no name"},
		{func(c *notify.Channel) { c.Kind = "pager" }, `"pager" is no kind: use webhook, slack, teams or email`},
		{func(c *notify.Channel) { c.Level = "bad" }, `"bad" is no level`},
		{func(c *notify.Channel) { c.Kind = notify.Slack }, "the address of slack is a secret"},
		{func(c *notify.Channel) { c.Kind = notify.Email }, "from is no mail address"},
		{func(c *notify.Channel) { c.Kind, c.From = notify.Email, "a@b.example" }, "to is no list"},
		{func(c *notify.Channel) { c.Kind, c.From, c.To = notify.Email, "a@b.example", "c@b.example" }, "server has to be HOST:PORT"},
		{func(c *notify.Channel) {
			c.Kind, c.From, c.To, c.Server = notify.Email, "a@b.example", "c@b.example", "mail.example:587"
		}, "user and secret go together"},
	} {
		c := good
		test.change(&c)
		switch err := c.Check(); {
		case err == nil && test.want != "", err != nil && (test.want == "" || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%+v: %v, want %q", c, err, test.want)
		}
	}
	if _, err := notify.New(nil, notify.Options{Channels: []notify.Channel{good, good}}); err == nil || !strings.Contains(err.Error(), "there are two of this name") {
		t.Error(err)
	}
}

// The address that a secret holds is checked like any other, and told to nobody.
func TestASecretAddressThatIsNotAllowed(t *testing.T) {
	t.Setenv("SLACK_URL", "https://evil.example/hunter2")
	r := newRig(t, notify.Channel{Name: "slack", Kind: notify.Slack, Secret: reference(t, "env:SLACK_URL")})
	r.take(alert(1, "high", "ann"))
	stop := r.run()
	r.empty()
	stop()
	dead := r.dead()
	if len(dead) != 1 || dead[0].Error != "its host is not among those that are allowed: hooks.slack.com" || strings.Contains(r.log.String(), "hunter2") {
		t.Errorf("%+v\n%s", dead, r.log)
	}
}

func TestVerify(t *testing.T) {
	at, body := noon, []byte(`{"a":1}`)
	key := credential.NewSecret("whsec_" + base64.StdEncoding.EncodeToString([]byte("a key")))
	good := notify.Sign(key, "id", at, body)
	set := func(name, value string) http.Header {
		h := good.Clone()
		h.Set(name, value)
		return h
	}
	for name, test := range map[string]struct {
		key  credential.Secret
		h    http.Header
		body string
		now  time.Time
		ok   bool
	}{
		"good":         {key, good, `{"a":1}`, at.Add(time.Minute), true},
		"rotated":      {key, set(notify.HeaderSignature, "v1,AAAA "+good.Get(notify.HeaderSignature)), `{"a":1}`, at, true},
		"another body": {key, good, `{"a":2}`, at, false},
		"another id":   {key, set(notify.HeaderID, "other"), `{"a":1}`, at, false},
		"another key":  {credential.NewSecret("b"), good, `{"a":1}`, at, false},
		"another time": {key, set(notify.HeaderTimestamp, fmt.Sprint(at.Unix()+1)), `{"a":1}`, at, false},
		"too late":     {key, good, `{"a":1}`, at.Add(time.Hour), false},
		"too early":    {key, good, `{"a":1}`, at.Add(-time.Hour), false},
		"no time":      {key, set(notify.HeaderTimestamp, ""), `{"a":1}`, at, false},
		"no signature": {key, set(notify.HeaderSignature, ""), `{"a":1}`, at, false},
	} {
		if err := notify.Verify(test.key, test.h, []byte(test.body), test.now, 5*time.Minute); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
