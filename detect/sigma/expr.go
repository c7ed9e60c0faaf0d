// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "net/netip"

// Expr is a node of a condition: *And, *Or, *Not, *Search, *Item, *Array, or *Ref in the extended
// condition of a correlation. What the parser returns has its searches, wildcards of
// identifiers and modifiers resolved; pipelines rewrite it; Compile makes a program of it.
// A node may stand in several places, in those of other rules too (filters), so whoever
// rewrites makes new nodes and never changes one in place.
type Expr interface{ expr() }

// And holds if all of X hold. It is never empty.
type And struct{ X []Expr }

// Or holds if one of X holds. It is never empty.
type Or struct{ X []Expr }

// Not holds if X does not. A comparison with a field that is absent does not hold, so its
// negation does.
type Not struct{ X Expr }

// Search is a search identifier's part of a condition, kept so that a match can be explained in
// the words of the rule.
type Search struct {
	Name string
	X    Expr
}

// Ref is a rule's name in an extended temporal condition.
type Ref struct{ Name string }

// Item is one comparison of a field: `field|modifiers: values`.
type Item struct {
	// Field is the field's name, a path of dots; empty for a keyword, which is searched for
	// in every value of the event.
	Field string
	// Or is more fields that mean the same: their values are taken together, and null holds
	// only if each is absent or null. Pipelines make such items.
	Or     []string
	Values []Value // any of them, or all if All
	All    bool
	Negate bool // |neq: holds if the comparison does not

	Modifiers []string // as written, for messages and explanations
	Line      int
}

// Array compares the members of an array one by one: `field[any]: …` (proposal 212 of the
// specification, https://github.com/SigmaHQ/sigma-specification/issues/212; read from
// sigma-version 3 on). For X a member is a record of its own, whose fields are the member's; the
// field "." is the member itself.
type Array struct {
	// Field is the array's name, and Or further ones, as an item has them. If several arrays
	// are found their members count together. A value that is no array counts as an array
	// of that value, and null as an empty one.
	Field      string
	Or         []string
	Quantifier Quantifier
	Index      int // of At: 0 is the first member, -1 the last
	X          Expr

	Line int
}

// Quantifier says of which members of an array an expression has to hold.
type Quantifier uint8

// The quantifiers.
const (
	AnyMember  Quantifier = iota // [any]: of one
	AllMembers                   // [all]: of every one, and there is one
	AllOrEmpty                   // [all_or_empty]: of every one, if there are any
	NoMember                     // [none]: of none
	At                           // [N]: of the one at that place; if there is none, of a record without fields
)

// Value is what an item compares a field with: Text, Number, Bool, Null, Exists, Regexp,
// CIDR, Compare, TimePart, FieldRef or Placeholder.
type Value interface{ value() }

// Text compares with a pattern. Letters of either case are the same unless Cased, by
// Unicode simple folding. An event's number or boolean is compared as it is written,
// an object or an array of objects as its JSON text.
type Text struct {
	Pattern Pattern
	Cased   bool
}

// Pattern is a string with wildcards: pieces that follow each other. An empty pattern is
// the empty string.
type Pattern []Piece

// Piece is a literal, or a wildcard if Wild is not zero.
type Piece struct {
	Text string
	Wild Wild
}

// Wild is a wildcard.
type Wild uint8

// The wildcards.
const (
	Literal Wild = iota
	AnyRun       // *: any characters, or none
	AnyOne       // ?: exactly one character
)

// Number is equal to an event's number of the same value, or to a string that is written
// like it.
type Number struct {
	N    float64
	Text string // as written
}

// Bool is equal to an event's boolean, or to the strings "true" and "false" in any case.
type Bool bool

// Null holds if the field is absent or null.
type Null struct{}

// Exists holds if the field is there, be it null (true), or is not there (false).
type Exists bool

// Regexp is searched for, unanchored.
type Regexp struct {
	Source string // without flags
	Flags  string // of "ims"
}

// CIDR holds if the field is an address in the network. Addresses are read as vendors
// write them: with a port, in brackets, IPv4 mapped into IPv6.
type CIDR struct{ Prefix netip.Prefix }

// Compare compares an event's number, or a string that holds one.
type Compare Comparison

// TimePart compares a part of the field's time, in UTC.
type TimePart struct {
	Part string // minute, hour, day, week (ISO 8601), month, year
	Compare
}

// FieldRef compares with the values of another field of the same event.
type FieldRef struct {
	Field string
	// Side says where the other's value has to stand: "" for equality, contains,
	// startswith, endswith.
	Side  string
	Cased bool
}

// Placeholder is a %name% that pipelines replace by values. A rule that still has one is
// refused by Compile.
type Placeholder struct {
	// Pattern has the placeholders as literal pieces, in Names the places of those
	// pieces and their names.
	Pattern Pattern
	Names   map[int]string
	Cased   bool
	// Regexp says that the pattern is a regular expression with these flags.
	Regexp bool
	Flags  string
	// CIDR says that the pattern is a network, as of [CIDR].
	CIDR bool
}

func (*And) expr()    {}
func (*Or) expr()     {}
func (*Not) expr()    {}
func (*Search) expr() {}
func (*Ref) expr()    {}
func (*Item) expr()   {}
func (*Array) expr()  {}

func (Text) value()        {}
func (Number) value()      {}
func (Bool) value()        {}
func (Null) value()        {}
func (Exists) value()      {}
func (Regexp) value()      {}
func (CIDR) value()        {}
func (Compare) value()     {}
func (TimePart) value()    {}
func (FieldRef) value()    {}
func (Placeholder) value() {}
