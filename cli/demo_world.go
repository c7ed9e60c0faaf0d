// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/okta"
	"github.com/daybreak-sec/daybreak/sim/scenario"
	"github.com/daybreak-sec/daybreak/sim/service"
	"github.com/daybreak-sec/daybreak/sim/slack"
)

// demoWorld is the company of a demo with the services that it uses.
type demoWorld struct {
	office *m365.Server // the company, its life and its clock
	// services are in the order in which they are shown. Of type m365 and entra is one server.
	services []demoService
	steps    []demoStep // of the attack that are still to come
}

// demoService is a simulated service.
type demoService struct {
	typ, address, tenant string
	token                string // what the API takes; empty of those that have the office's secret
	about                string
}

const (
	// demoServicePerDay is how many acts a person makes on a working day in each log of Slack and GitHub.
	demoServicePerDay = 20
	// demoServicePoll is how often logs are read that come in pages. How many requests that may take is demoQuota, too: more than
	// the vendors let through.
	demoServicePoll = 3 * time.Second
)

// simulate starts the services on free ports of loopback, until ctx ends. A second demo finds the subscriptions that the first
// one has started.
func (co *demoCompany) simulate(ctx context.Context, again bool) (*demoWorld, error) {
	now := time.Now()
	w := &demoWorld{}
	cfg := m365.Config{
		Seed: co.Seed, Start: now, Delay: 500 * time.Millisecond, Quota: demoQuota, Subscribed: again, History: now.Sub(co.Began) + demoPast,
		Company: company.Config{Seed: co.Seed, People: co.Users, SlotLength: 5 * time.Second},
	}
	if co.Attack != noAttack {
		s, err := scenario.Embedded(co.Attack)
		if err != nil {
			return nil, err
		}
		play, start := demoPace(s)
		for _, step := range play.Steps {
			if at := co.Began.Add(start + step.Begin); at.After(now) {
				w.steps = append(w.steps, demoStep{at, step})
			}
		}
		cfg.Attacks = []m365.Attack{{Scenario: play, After: co.Began.Add(start).Sub(now)}}
	}
	var err error
	if w.office, err = m365.New(cfg); err != nil {
		return nil, err
	}
	tenant, _, _ := w.office.Credentials()
	entra := graph.New(graph.Config{Tenant: w.office, Delay: 2 * time.Second, Spread: 5 * time.Second, PerMinute: demoQuota})
	org := okta.New(okta.Config{Tenant: w.office, Spread: 5 * time.Second, PerMinute: demoQuota})
	others := service.Config{
		Company: w.office.Company(), Now: w.office.Now, Begin: co.Began.Add(-demoPast), Seed: co.Seed, PerDay: demoServicePerDay,
		Delay: 2 * time.Second, Spread: 5 * time.Second, Token: "simulated-" + rand.Text(), Limit: 60 * demoQuota,
	}
	team, code := slack.New(others), github.New(others)
	if err := w.serve(ctx, entra.Mount(w.office.Handler()), w.office.Close,
		demoService{typ: "m365", tenant: tenant, about: "the Office 365 Management Activity API"},
		demoService{typ: "entra", tenant: tenant, about: "the logs of Entra ID by Microsoft Graph"}); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		handler http.Handler
		demoService
	}{
		{org.Handler(), demoService{typ: "okta", tenant: org.Host(), token: org.Token(), about: "Okta's System Log"}},
		{team.Handler(), demoService{typ: "slack", tenant: team.Organization(), token: others.Token, about: "Slack's Audit Logs"}},
		{code.Handler(), demoService{typ: "github", tenant: code.Organization(), token: others.Token, about: "GitHub's audit log"}},
	} {
		if err := w.serve(ctx, s.handler, func() {}, s.demoService); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// serve answers for services at one address.
func (w *demoWorld) serve(ctx context.Context, h http.Handler, end func(), services ...demoService) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.office.Close()
		return fmt.Errorf("the simulated provider cannot listen: %w", err)
	}
	for _, s := range services {
		s.address = "http://" + l.Addr().String()
		w.services = append(w.services, s)
	}
	go func() { _ = serveSim(ctx, l, h, end) }() // ends with ctx
	return nil
}

// configuration is what an administrator would write to connect the company.
func (w *demoWorld) configuration(dir, addr string) (config.Config, error) {
	c := config.Default()
	c.Server.Listen = addr
	_, id, _ := w.office.Credentials()
	path, err := filepath.Abs(dir)
	if err != nil {
		return c, err
	}
	secret := filepath.Join(path, demoSecret)
	if err := keepSecret(w.office, secret, false); err != nil {
		return c, err
	}
	for _, s := range w.services {
		src := config.DefaultSource(s.typ)
		src.Name, src.Tenant, src.API, src.Streams = s.typ, s.tenant, s.address, config.Streams(s.typ)
		src.Poll, src.RequestsPerMinute = config.Duration(demoServicePoll), demoQuota
		if s.token == "" {
			src.ClientID, src.ClientSecret, src.Login = id, config.Secret("file:"+secret), s.address
		} else {
			file := filepath.Join(path, "demo."+s.typ+".token")
			if err := new(durable.Ops).WriteFile(file, []byte(s.token+"\n"), 0o600); err != nil {
				return c, usagef("%v", err)
			}
			src.APIToken = config.Secret("file:" + file)
		}
		if s.typ == "m365" {
			src.Name, src.Poll = "demo", config.Duration(time.Second)
		}
		c.Sources = append(c.Sources, src)
	}
	if err := c.Check(); err != nil {
		return c, usagef("%v", err)
	}
	return c, nil
}
