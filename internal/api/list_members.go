package api

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/reqbody"
	"github.com/opencapi/capi/internal/search"
)

// ListMembers selects companies to add or remove: by id, by domain, by a search, by a set, by a match, or by several of these at once.
type ListMembers struct {
	CompanyIDs    []string       `json:"company_ids,omitempty" format:"uuid" maxItems:"10000" doc:"Ids of companies."`
	Domains       []string       `json:"domains,omitempty" maxItems:"10000" doc:"Domains; URLs are accepted too. A domain selects every company that has it." example:"[\"example.com\"]"`
	SearchFilters *Filters       `json:"search_filters,omitempty" doc:"Every match of this search, up to 100,000."`
	MatchID       id.MatchResult `json:"match_id,omitzero" format:"uuid" doc:"What Match a list of companies found."`
	Set           *query.SetRef  `json:"set,omitempty" doc:"Every company of this set, up to 100,000."`

	ids     []id.Company
	queries []query.Query // of search_filters and set
	vague   bool          // search_filters has fields, but all of them are empty
}

// Inspect notes whether search_filters has fields.
func (b *ListMembers) Inspect(sent *reqbody.Value) { b.vague = sent.HasMembers("search_filters") }

const domainLengthMax = 2048

// Resolve parses ids and filters.
func (b *ListMembers) Resolve() []fault.FieldError {
	var errs []fault.FieldError
	bad := func(field, message string) { errs = append(errs, fault.FieldError{Field: field, Message: message}) }
	if b.CompanyIDs == nil && b.Domains == nil && b.SearchFilters == nil && b.Set == nil && b.MatchID.IsZero() {
		bad("body", "must have company_ids, domains, search_filters, set or match_id")
	}
	for _, raw := range b.CompanyIDs {
		company, _ := id.Parse[id.Company](raw) // the schema has validated it
		b.ids = append(b.ids, company)
	}
	for i, d := range b.Domains {
		if strings.TrimSpace(d) == "" || utf8.RuneCountInString(d) > domainLengthMax {
			bad(fmt.Sprintf("domains[%d]", i), fmt.Sprintf("must have 1 to %d characters", domainLengthMax))
		}
	}
	if b.SearchFilters != nil {
		q, more := b.SearchFilters.parse("search_filters")
		b.queries, errs = append(b.queries, q), append(errs, more...)
		if b.vague && len(more) == 0 && q.IsEmpty() {
			bad("search_filters", "has only empty filters, so it selects every company; send \"search_filters\": {} to take every company")
		}
	}
	if b.Set != nil {
		q, err := query.ParseSet("set", *b.Set)
		b.queries, errs = append(b.queries, q), append(errs, fault.Fields(err)...)
	}
	return errs
}

// ListChange is the result of adding or removing companies.
type ListChange struct {
	List             List         `json:"list" doc:"The list after the change."`
	Matched          int          `json:"matched" doc:"Companies that were found."`
	Changed          int          `json:"changed" doc:"Of these, those that were not yet in the list; when removing, those that were in it."`
	UnmatchedIDs     []id.Company `json:"unmatched_ids" format:"uuid" doc:"Ids that belong to no company."`
	UnmatchedDomains []string     `json:"unmatched_domains" doc:"Domains that belong to no company, as sent."`
	Capped           bool         `json:"capped" doc:"Whether the search or the set has more than 100,000 companies; only the first 100,000 were used."`
	Warnings         []Warning    `json:"warnings" doc:"Filter values and words that no company has, values that are both included and excluded, and operators that mean nothing in query."`
}

type listMembersInput struct {
	oneListInput
	Body ListMembers
}

func (s *server) addCompanies(ctx context.Context, caller auth.Caller, in *listMembersInput, a *idempotency.Attempt) error {
	picked, err := s.pick(ctx, caller, in, false)
	if err != nil {
		return err
	}
	_, _, err = s.Lists.Add(ctx, caller.Workspace, in.List, picked.Companies, idempotency.Last(a, rendered(picked.changeOf)))
	return err
}

func (s *server) removeCompanies(ctx context.Context, caller auth.Caller, in *listMembersInput) (*ListChange, error) {
	picked, err := s.pick(ctx, caller, in, true) // else nothing could be taken off an excluded list
	if err != nil {
		return nil, err
	}
	l, removed, err := s.Lists.Remove(ctx, caller.Workspace, in.List, picked.Companies)
	if err != nil {
		return nil, err
	}
	change := picked.changeOf(list.Change{List: l, By: removed})
	return &change, nil
}

// picked holds the companies that a ListMembers selects.
type picked struct{ search.Picked }

// pick finds the companies, after checking that the list exists.
func (s *server) pick(ctx context.Context, caller auth.Caller, in *listMembersInput, withExcluded bool) (picked, error) {
	if _, err := s.Lists.Get(ctx, caller.Workspace, in.List); err != nil {
		return picked{}, err // checked first, because finding companies is expensive
	}
	p, err := s.Search.Pick(ctx, caller, search.PickRequest{IDs: in.Body.ids, Domains: in.Body.Domains, Queries: in.Body.queries, Match: in.Body.MatchID, WithExcluded: withExcluded})
	return picked{p}, inFilters(err)
}

// inFilters places the errors about locked fields at the member of the body that has the filter. Those about sets are there already.
func inFilters(err error) error {
	errs := fault.Fields(err)
	if len(errs) == 0 {
		return err
	}
	for i, e := range errs {
		if !strings.HasPrefix(e.Field, "set") && !strings.HasPrefix(e.Field, "search_filters") {
			errs[i] = under("search_filters", []fault.FieldError{e})[0]
		}
	}
	return fault.Invalid(errs...)
}

func (p picked) changeOf(c list.Change) ListChange {
	return ListChange{
		List: listOf(c.List), Matched: p.Companies.Len(), Changed: c.By, Capped: p.Capped,
		UnmatchedIDs: orEmpty(p.UnmatchedIDs), UnmatchedDomains: orEmpty(p.UnmatchedDomains),
		Warnings: warningsOf(p.Warnings),
	}
}
