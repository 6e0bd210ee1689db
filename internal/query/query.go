package query

// Given returns the filters' values that may be unknown to the index, as the client wrote them, in the order of Params.
func (q Query) Given() []Given { return q.given }

// Conflicts returns the included values that the filters also exclude, so that no company with them matches.
func (q Query) Conflicts() []Given { return q.conflicts }

// Notices returns what in the filters does not mean what people may expect, for warnings.
func (q Query) Notices() []Notice { return q.notes }

// IsEmpty reports whether the query has no condition, so that it matches every company.
func (q Query) IsEmpty() bool { return q.Root == nil }

// HasText reports whether the query parameter was given, so that results have a relevance.
func (q Query) HasText() bool { return q.hasText }
