// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// implicitTLS is the port on which TLS begins at once (RFC 8314, section 3.3).
const implicitTLS = "465"

func (c *Channel) checkServer() error {
	host, port, err := net.SplitHostPort(c.Server)
	switch {
	case err != nil || host == "" || port == "":
		return errors.New("server has to be HOST:PORT of an SMTP server")
	case len(c.Hosts) > 0:
		return errors.New("hosts is for webhooks: mail goes to its server and nowhere else")
	case (c.User == "") != c.Secret.IsZero():
		return errors.New("user and secret go together")
	}
	return nil
}

// mail makes one attempt to hand a message to the server, over TLS except on loopback.
func (c *Channel) mail(ctx context.Context, m *Message, password credential.Secret) error {
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return refused("from: %w", err)
	}
	to, err := mail.ParseAddressList(c.To)
	if err != nil {
		return refused("to: %w", err)
	}
	s, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { s.Close() }) // ends whatever waits for the server
	defer stop()
	if c.User != "" {
		host, _, _ := net.SplitHostPort(c.Server)
		if err := s.Auth(smtp.PlainAuth("", c.User, password.Reveal(), host)); err != nil {
			return fmt.Errorf("the server does not let us in: %w", err)
		}
	}
	err = s.Mail(from.Address)
	for i := 0; i < len(to) && err == nil; i++ {
		err = s.Rcpt(to[i].Address)
	}
	if err != nil {
		return answeredSMTP(err)
	}
	w, err := s.Data()
	if err == nil {
		_, err = w.Write(mailText(m, from, to))
	}
	if err == nil {
		err = w.Close() // the server has accepted it when this succeeds
	}
	if err != nil {
		return answeredSMTP(err)
	}
	_ = s.Quit()
	return nil
}

func (c *Channel) dial(ctx context.Context) (*smtp.Client, error) {
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil {
		return nil, refused("server: %w", err)
	}
	conf := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.Server)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if port == implicitTLS {
		conn = tls.Client(conn, conf)
	}
	s, err := smtp.NewClient(conn, host)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("no answer: %w", err)
	}
	if port == implicitTLS || isLoopback(host) {
		return s, nil
	}
	if ok, _ := s.Extension("STARTTLS"); !ok {
		s.Close()
		return nil, refused("the server offers no STARTTLS, and mail goes over TLS only")
	}
	if err := s.StartTLS(conf); err != nil {
		s.Close()
		return nil, fmt.Errorf("STARTTLS: %w", err)
	}
	return s, nil
}

// answeredSMTP tells what is refused for good: RFC 5321, section 4.2.1.
func answeredSMTP(err error) error {
	var p *textproto.Error
	if errors.As(err, &p) && p.Code >= 500 && p.Code < 600 {
		return refused("SMTP %d %s", p.Code, short(p.Msg))
	}
	return err
}

// mailText writes the message of RFC 5322. Its id follows from the key, so that programs take
// repetitions for one.
func mailText(m *Message, from *mail.Address, to []*mail.Address) []byte {
	var b bytes.Buffer
	list := make([]string, len(to))
	for i, a := range to {
		list[i] = a.String()
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	id := sha256.Sum256([]byte(m.Key))
	thread := sha256.Sum256([]byte(m.Incident))
	for _, h := range [][2]string{
		{"From", from.String()},
		{"To", strings.Join(list, ",\r\n ")},
		{"Subject", mime.QEncoding.Encode("utf-8", "[Daybreak] "+headline(m))},
		{"Date", time.Now().UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + hex.EncodeToString(id[:16]) + "@" + domain + ">"},
		{"References", "<" + hex.EncodeToString(thread[:16]) + ".incident@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody's vacation answers
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	fmt.Fprintf(q, "%s\r\n\r\n", headline(m))
	for _, f := range facts(m) {
		fmt.Fprintf(q, "%-12s %s\r\n", f[0]+":", f[1])
	}
	if m.URL != "" {
		fmt.Fprintf(q, "\r\n%s\r\n", m.URL)
	}
	_ = q.Close() // into memory
	return b.Bytes()
}
