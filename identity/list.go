// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Row is a person of the HR list.
type Row struct {
	Mail     string
	Accounts []Ref
	Name     string
	// Fields are the other columns, in the order of List.Columns.
	Fields []string
	Line   int
}

// Ref names an address, or an account or a login name in a suite.
type Ref struct{ Suite, ID string }

func (r Ref) String() string {
	if r.Suite == "" {
		return r.ID
	}
	return r.Suite + ":" + r.ID
}

// List is an HR list. It is never changed.
type List struct {
	Name    string   // of the file, without its folder
	Columns []string // beside mail, accounts and name, in lower case
	Rows    []Row
}

// Limits of a list: a line for each of ten million people would be a mistake.
const (
	maxListBytes = 256 << 20
	maxListRows  = 2_000_000
	maxField     = 1 << 10
)

// ReadList reads the HR list of a file.
func ReadList(path string) (*List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := ParseList(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l.Name = filepath.Base(path)
	return l, nil
}

// ParseList reads an HR list: CSV (RFC 4180) in UTF-8 with a line of column names. The column "mail" must be there; "accounts"
// holds further addresses and accounts ("okta:00u…"), with blanks or semicolons between them; "name" is for people; all others
// are what groups are made of. An address or account that two lines have is refused: no account has two people.
func ParseList(r io.Reader) (*List, error) {
	limited := &io.LimitedReader{R: r, N: maxListBytes + 1}
	c := csv.NewReader(skipMark(limited))
	c.ReuseRecord = true
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the list is empty: its first line names the columns, \"mail\" among them")
	}
	if err != nil {
		return nil, badLine(err)
	}
	l := &List{}
	mail, accounts, name := -1, -1, -1
	place := make([]int, len(head)) // of a column among the fields, or -1
	for i, text := range head {
		column := strings.ToLower(strings.TrimSpace(text))
		place[i] = -1
		switch {
		case column == "":
			return nil, fmt.Errorf("line 1: column %d has no name", i+1)
		case slices.Contains(l.Columns, column) || column == "mail" && mail >= 0 || column == "accounts" && accounts >= 0 || column == "name" && name >= 0:
			return nil, fmt.Errorf("line 1: there are two columns %q", column)
		case column == "mail":
			mail = i
		case column == "accounts":
			accounts = i
		case column == "name":
			name = i
		default:
			place[i] = len(l.Columns)
			l.Columns = append(l.Columns, column)
		}
	}
	if mail < 0 {
		return nil, fmt.Errorf("line 1: there is no column \"mail\": the first line names the columns")
	}
	said := map[Ref]int{} // by line
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badLine(err)
		}
		line, _ := c.FieldPos(0)
		row := Row{Line: line, Fields: make([]string, len(l.Columns))}
		for i, text := range record {
			text = strings.Clone(strings.TrimSpace(text))
			switch {
			case len(text) > maxField:
				return nil, fmt.Errorf("line %d: column %d holds more than %d bytes", line, i+1, maxField)
			case i == mail:
				if row.Mail = Fold(text); !IsAddress(row.Mail) {
					return nil, fmt.Errorf("line %d: mail is %.60q, which is no mail address", line, text)
				}
			case i == accounts:
				if row.Accounts, err = parseRefs(text); err != nil {
					return nil, fmt.Errorf("line %d: accounts: %w", line, err)
				}
			case i == name:
				row.Name = text
			default:
				row.Fields[place[i]] = text
			}
		}
		for _, ref := range append([]Ref{{ID: row.Mail}}, row.Accounts...) {
			if before := said[ref]; before != 0 && before != line {
				return nil, fmt.Errorf("line %d: %s is in line %d as well: an account has one person; leave out what is shared", line, ref, before)
			}
			said[ref] = line
		}
		if l.Rows = append(l.Rows, row); len(l.Rows) > maxListRows {
			return nil, fmt.Errorf("line %d: more than %d people", line, maxListRows)
		}
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("the list is larger than %d MiB", maxListBytes>>20)
	}
	return l, nil
}

// skipMark leaves out the byte order mark that spreadsheets begin with.
func skipMark(r io.Reader) io.Reader {
	head := make([]byte, 3)
	n, _ := io.ReadFull(r, head) // what is wrong is said by the next read
	return io.MultiReader(bytes.NewReader(bytes.TrimPrefix(head[:n], []byte("\ufeff"))), r)
}

func badLine(err error) error {
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return fmt.Errorf("line %d: %w", bad.Line, bad.Err)
	}
	return err
}

func parseRefs(text string) (list []Ref, err error) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ';' || r == '\t' }) {
		ref, err := ParseRef(word)
		if err != nil {
			return nil, err
		}
		list = append(list, ref)
	}
	return list, nil
}

// ParseRef reads an address, or "suite:id".
func ParseRef(word string) (Ref, error) {
	if IsAddress(word) && !strings.Contains(word, ":") {
		return Ref{ID: Fold(word)}, nil
	}
	name, id, ok := strings.Cut(word, ":")
	name = strings.ToLower(name)
	if !ok || !slices.Contains(Suites, name) || id == "" || len(id) > MaxName {
		return Ref{}, fmt.Errorf("%.80q is neither a mail address nor an account such as \"okta:00u1a2b3c4d5e6f7g8h9\"; the suites are %s", word, strings.Join(Suites, ", "))
	}
	if name == "entra" || name == "github" && !digits([]byte(id)) { // GUIDs and login names
		id = strings.ToLower(id)
	}
	return Ref{name, id}, nil
}

// Pair is two that are, or are not, the same person's.
type Pair [2]Ref

// ParsePair reads "ann@contoso.example okta:00u…".
func ParsePair(text string) (p Pair, err error) {
	words := strings.Fields(text)
	if len(words) != 2 {
		return p, fmt.Errorf("%.80q: want two accounts or addresses with a blank between them", text)
	}
	for i := range p {
		if p[i], err = ParseRef(words[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Field returns a column of a row; the name as well.
func (l *List) Field(row *Row, column string) (string, bool) {
	if strings.EqualFold(column, "name") {
		return row.Name, true
	}
	i := slices.Index(l.Columns, strings.ToLower(column))
	if i < 0 {
		return "", false
	}
	return row.Fields[i], true
}
