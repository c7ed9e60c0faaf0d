// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Limits of the conditions of one rule.
const (
	maxConditions = 100
	maxCondition  = 64 << 10 // bytes of one
	maxNesting    = 100      // of parentheses and nots
)

// of is a quantifier over searches until the searches are put in.
type of struct {
	all     bool
	pattern string // of names, or them
}

func (*of) expr() {}

// parseCondition reads a condition:
//
//	or   := and { "or" and }
//	and  := not { "and" not }
//	not  := "not" not | prim
//	prim := "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | name
//
// Names become a [Ref]. Errors can follow the words "the condition …".
func parseCondition(text string) (Expr, error) {
	if len(text) > maxCondition {
		return nil, fmt.Errorf("has %d bytes and %d are allowed; use 1 of and all of", len(text), maxCondition)
	}
	tokens, err := conditionTokens(text)
	if err != nil {
		return nil, err
	}
	c := &conditionParser{tokens: tokens}
	x, err := c.or()
	if err == nil && c.peek() != "" {
		err = fmt.Errorf("has %s where and, or or the end is expected", quoted(c.peek()))
	}
	if err != nil {
		return nil, err
	}
	return x, nil
}

func conditionTokens(text string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')':
			tokens = append(tokens, text[i:i+1])
			i++
		default:
			end := i
			for end < len(text) && (text[end] == '*' || isName(text[end:end+1])) {
				end++
			}
			if end == i {
				return nil, fmt.Errorf("has the character %s; names are of letters, digits, _ and -", quoted(string([]rune(text[i:])[:1])))
			}
			tokens = append(tokens, text[i:end])
			i = end
		}
	}
	return tokens, nil
}

type conditionParser struct {
	tokens []string
	depth  int
}

// peek returns the next token, empty at the end.
func (c *conditionParser) peek() string {
	if len(c.tokens) == 0 {
		return ""
	}
	return c.tokens[0]
}

func (c *conditionParser) next() string {
	t := c.peek()
	if t != "" {
		c.tokens = c.tokens[1:]
	}
	return t
}

// take takes the next token if it is the word.
func (c *conditionParser) take(word string) bool {
	if !strings.EqualFold(c.peek(), word) {
		return false
	}
	c.next()
	return true
}

func (c *conditionParser) or() (Expr, error) {
	return c.list("or", c.and, func(x []Expr) Expr { return &Or{x} })
}

func (c *conditionParser) and() (Expr, error) {
	return c.list("and", c.not, func(x []Expr) Expr { return &And{x} })
}

func (c *conditionParser) list(operator string, operand func() (Expr, error), join func([]Expr) Expr) (Expr, error) {
	x, err := operand()
	if err != nil {
		return nil, err
	}
	list := []Expr{x}
	for c.take(operator) {
		if x, err = operand(); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	if len(list) == 1 {
		return x, nil
	}
	return join(list), nil
}

func (c *conditionParser) not() (Expr, error) {
	if !c.take("not") {
		return c.primary()
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	x, err := c.not()
	if err != nil {
		return nil, err
	}
	return &Not{x}, nil
}

func (c *conditionParser) enter() error {
	if c.depth++; c.depth > maxNesting {
		return fmt.Errorf("is more than %d deep in parentheses and nots; put parts of it into searches", maxNesting)
	}
	return nil
}

func (c *conditionParser) leave() { c.depth-- }

func (c *conditionParser) primary() (Expr, error) {
	if c.take("(") {
		if err := c.enter(); err != nil {
			return nil, err
		}
		defer c.leave()
		x, err := c.or()
		if err == nil && !c.take(")") {
			err = errors.New("has a parenthesis that is not closed")
		}
		return x, err
	}
	if len(c.tokens) > 1 && strings.EqualFold(c.tokens[1], "of") {
		return c.quantifier()
	}
	t := c.next()
	switch strings.ToLower(t) {
	case "":
		return nil, errors.New("ends where a search is expected")
	case "and", "or", "not", "of", ")":
		return nil, fmt.Errorf("has %s where a search is expected", quoted(t))
	}
	if strings.Contains(t, "*") {
		return nil, fmt.Errorf("has the pattern %s without 1 of or all of before it", quoted(t))
	}
	return &Ref{t}, nil
}

func (c *conditionParser) quantifier() (Expr, error) {
	quantity := strings.ToLower(c.next())
	c.next() // of
	pattern := c.next()
	switch strings.ToLower(pattern) {
	case "", "and", "or", "not", "of", "(", ")":
		return nil, fmt.Errorf("needs them or a pattern of names behind %s of", quantity)
	case "them":
		pattern = "them"
	}
	switch quantity {
	case "1", "any":
		return &of{pattern: pattern}, nil
	case "all":
		return &of{all: true, pattern: pattern}, nil
	}
	return nil, fmt.Errorf("says %s of; there are 1 of, any of and all of", quantity)
}

// resolveSearches puts the searches in for their names.
func (p *parser) resolveSearches(line int, x Expr, s *searches) (Expr, error) {
	p.spend(line, nodeRoom)
	switch x := x.(type) {
	case *And:
		list, err := p.resolveAll(line, x.X, s)
		return &And{list}, err
	case *Or:
		list, err := p.resolveAll(line, x.X, s)
		return &Or{list}, err
	case *Not:
		y, err := p.resolveSearches(line, x.X, s)
		return &Not{y}, err
	case *of:
		return p.resolveOf(line, x, s)
	case *Ref:
		y, ok := s.exprs[x.Name]
		if !ok {
			return nil, fmt.Errorf("names the search %s, which there is not; there are %s", quoted(x.Name), quoted(strings.Join(s.names, ", ")))
		}
		s.used[x.Name] = true
		return &Search{Name: x.Name, X: y}, nil
	}
	return x, nil
}

func (p *parser) resolveAll(line int, list []Expr, s *searches) ([]Expr, error) {
	resolved := make([]Expr, len(list))
	for i, x := range list {
		var err error
		if resolved[i], err = p.resolveSearches(line, x, s); err != nil {
			return nil, err
		}
	}
	return resolved, nil
}

// resolveOf joins the searches that a quantifier means. Those whose names begin with _ are
// left out unless its pattern begins so too.
func (p *parser) resolveOf(line int, x *of, s *searches) (Expr, error) {
	pattern := x.pattern
	if pattern == "them" {
		pattern = "*"
	}
	var list []Expr
	for _, name := range s.names {
		p.spend(line, nodeRoom)
		if strings.HasPrefix(name, "_") && !strings.HasPrefix(pattern, "_") {
			continue
		}
		if ok, err := path.Match(pattern, name); err == nil && ok {
			p.spend(line, pieceRoom)
			s.used[name] = true
			list = append(list, &Search{Name: name, X: s.exprs[name]})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("has %s, which no search is called like; there are %s", quoted(Format(x)), quoted(strings.Join(s.names, ", ")))
	}
	if x.all {
		return allOf(list), nil
	}
	return anyOf(list), nil
}

// onlyNames refuses quantifiers, for a condition over the names of rules.
func onlyNames(x Expr) error {
	var list []Expr
	switch x := x.(type) {
	case *And:
		list = x.X
	case *Or:
		list = x.X
	case *Not:
		return onlyNames(x.X)
	case *of:
		return fmt.Errorf("has %s; a correlation's condition names each rule", quoted(Format(x)))
	}
	for _, x := range list {
		if err := onlyNames(x); err != nil {
			return err
		}
	}
	return nil
}
