// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/identity"
)

func (a *app) peopleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "people",
		Short: "Who is who: the accounts that somebody has in all suites",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "show NAME",
		Short: "Show somebody's addresses and accounts, and why they are theirs",
		Long: `Show says which addresses and accounts are one person's: those that records show beside each
other, that a line of the HR list names, or that the configuration links; and what is
not joined, and why. NAME is a mail address, an account such as okta:00u1a2b3c4d5e6f7g8h9,
or what a person is called here. "daybreak search person:NAME" finds what they did, in
all suites. docs/reference/people.md says what is joined and what is not.`,
		Args: args(cobra.ExactArgs(1), "an address or an account"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.showPerson(cmd, args[0]) },
	})
	return cmd
}

func (a *app) showPerson(cmd *cobra.Command, name string) (err error) {
	c, done, err := a.connect(cmd.Context(), "search")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	text, err := c.Person(cmd.Context(), name)
	if err != nil {
		return asUsage(err)
	}
	if a.json {
		_, err := fmt.Fprintf(a.stdout, "%s\n", text)
		return err
	}
	var p identity.Person
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	return a.printPerson(&p)
}

func (a *app) printPerson(p *identity.Person) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "person\t%s\n", printable(p.ID, 100))
	if p.Name != "" {
		fmt.Fprintf(w, "name\t%s\n", printable(p.Name, 100))
	}
	var columns []string
	for column := range p.Fields {
		columns = append(columns, column)
	}
	slices.Sort(columns)
	for _, column := range columns {
		fmt.Fprintf(w, "%s\t%s\n", printable(column, 40), printable(p.Fields[column], 100))
	}
	for _, e := range p.Evidence {
		fmt.Fprintf(w, "said by\t%s\n", printable(e, 160))
	}
	for _, x := range p.Addresses {
		fmt.Fprintf(w, "address\t%s%s\n", printable(x.Address, 100), between(x.From, x.Until))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	t := a.section("accounts", "suite,id,tenant,with the address,from,to,first record,last record", len(p.Accounts))
	for i := range p.Accounts {
		if err := accountRows(t, &p.Accounts[i], ""); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	if len(p.Apart) == 0 {
		return nil
	}
	t = a.section("not joined", "suite,id,tenant,with the address,from,to,first record,last record,why", len(p.Apart))
	for i := range p.Apart {
		if err := accountRows(t, &p.Apart[i].Account, p.Apart[i].Why); err != nil {
			return err
		}
	}
	return endTable(t)
}

func accountRows(t *table, x *identity.Account, why string) error {
	row := []string{x.Suite, printable(x.ID, 60), printable(x.Tenant, 40), "", "", "", "", ""}
	shown := x.Shown
	if len(shown) == 0 {
		shown = []identity.Shown{{}}
	}
	for _, s := range shown {
		r := slices.Clone(row)
		if s.Address != "" {
			r[3], r[4], r[5], r[6], r[7] = printable(s.Address, 60), hourStamp(s.First), hourStamp(s.Last), s.FirstEvent, s.LastEvent
		}
		if why != "" {
			r = append(r, why)
		}
		if err := t.row(r); err != nil {
			return err
		}
	}
	return nil
}

// hourStamp writes an hour.
func hourStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15h") }

func between(from, until *time.Time) string {
	var parts []string
	if from != nil {
		parts = append(parts, "from "+hourStamp(*from))
	}
	if until != nil {
		parts = append(parts, "until "+hourStamp(*until))
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, " ")
}
