package query

import (
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Query is a checked and simplified condition on a company. The zero Query matches every company.
type Query struct {
	Root  Node    // nil matches every company
	given []Given // the values of the filters as the client wrote them, for warnings
	notes []Notice

	filters Filters // what Parse has read
	parsed  bool
	widened []fault.FieldError

	conflicts []Given // included values that are excluded, too
	hasText   bool    // the query parameter was given

	setField string // where the one set stands that ParseSet has read, in place of filters

	sets []SetUse // the stored sets that the tree names and Resolve has not filled in
}

// Given is one value of a filter: what the client wrote and what it was read as.
type Given struct {
	Param string // the parameter's name, such as countries
	Field Field
	Raw   string // as written
	Value string // as it is in the tree
	Text  Node   // of FieldText and FieldDomain: the condition that some company must meet
	Quiet bool   // nothing may be suggested for it, because it would be a value of a locked field
}

// Node is one of And, Or, Not, OneOf, Prefix, Range, Term, Phrase, Word, Domain,
// Connected, Within and InSet.
type Node interface{ node() }

type (
	// And matches if every part does; without parts, always.
	And []Node
	// Or matches if any part does; without parts, never.
	Or []Node
	// Not matches if its part does not.
	Not struct{ Node Node }

	// OneOf matches if any of the field's values, folded, is one of Values, which are folded too, sorted and distinct.
	OneOf struct {
		Field  Field
		Values []string
	}
	// Prefix matches if any of the field's values starts with Value.
	Prefix struct {
		Field Field
		Value string
	}
	// Range matches a known value from Min to Max, both included; nil is open.
	Range struct {
		Field    Field
		Min, Max *int64
	}
	// Term matches if the word, a token of text.Tokens, occurs in the name or the description, or if text.EachJoint finds it
	// there in parts: McDonald's contains mcdonald, s and mcdonalds. With Prefix, a word that begins with Word is enough. With InName,
	// it must be in the name.
	Term struct {
		Word   string
		Prefix bool
		InName bool
	}
	// Phrase matches if the words are adjacent and in this order in the name, or in the description. A text.Break among them
	// matches a break, and no word matches what EachJoint finds. With Prefix, a last word that begins with that of Words is enough.
	// With InName, they must be in the name.
	Phrase struct {
		Words  []string
		Prefix bool
		InName bool
	}
	// Word matches if any of its forms does. They are the ways to write one word of a text, such as ecommerce and "e commerce",
	// and count as one word for relevance. A form of one word is a Term.
	Word struct{ Forms []Phrase }
	// Domain matches a company with the domain, in lower case. With Prefix, a domain that begins with it is enough.
	Domain struct {
		Name   string
		Prefix bool
	}
	// Connected matches if one connection meets every part that is not zero.
	Connected struct {
		Category string // folded
		Company  id.Company
		Domain   string // lower case
	}

	// Within matches if its part does. What its part looks for has no relevance.
	Within struct{ Node Node }
	// InSet matches the companies of a stored set. The fingerprint of a query has the key in place of the companies, so that a cursor
	// stays valid while companies are added to a list. It matches nothing until Query.Resolve has filled in the companies.
	InSet struct {
		Key string
		Set company.Set
	}
)

func (And) node()       {}
func (Or) node()        {}
func (Not) node()       {}
func (OneOf) node()     {}
func (Prefix) node()    {}
func (Range) node()     {}
func (Term) node()      {}
func (Phrase) node()    {}
func (Word) node()      {}
func (Domain) node()    {}
func (Connected) node() {}
func (Within) node()    {}
func (InSet) node()     {}

// Sort is a total order: the key, nulls last in both directions, then the company's number, ascending.
type Sort struct {
	By      SortKey
	Desc    bool
	Default bool // nobody asked for this order, so that a notice about another one says nothing
}

// SortKey is what a Sort compares.
type SortKey uint8

// The sort keys; names compare folded, relevance is BM25 with the name weighing more than the description, and in a name
// that of a large company more than that of a small one.
const (
	ByRelevance SortKey = iota
	ByEmployeeCount
	ByName
	ByFoundedYear
	ByUpdatedAt
)
