package query

// Given are the filters' values that a field may or may not know, as the client wrote them, in the order of Params.
func (q Query) Given() []Given { return q.given }

// IsEmpty holds for a query without any condition: it matches every company.
func (q Query) IsEmpty() bool { return q.Root == nil }

// HasText holds if the query parameter was given, so that results have a relevance.
func (q Query) HasText() bool { return q.hasText }
