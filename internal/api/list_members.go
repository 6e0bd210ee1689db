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

// ListMembers names companies to add or to remove: by id, by domain, by a search, or by several of these at once.
type ListMembers struct {
	CompanyIDs    []string `json:"company_ids,omitempty" format:"uuid" maxItems:"10000"`
	Domains       []string `json:"domains,omitempty" maxItems:"10000" doc:"In any spelling that holds the domain, a URL too." example:"[\"example.com\"]"`
	SearchFilters *Filters `json:"search_filters,omitempty" doc:"Every match of this search, up to 100,000."`

	ids   []id.Company
	query *query.Query
	vague bool // search_filters names filters, but says nothing with them
}

func (b *ListMembers) Inspect(sent *reqbody.Value) { b.vague = sent.HasMembers("search_filters") }

const domainLengthMax = 2048

func (b *ListMembers) Resolve() []fault.FieldError {
	var faults []fault.FieldError
	bad := func(field, message string) { faults = append(faults, fault.FieldError{Field: field, Message: message}) }
	if b.CompanyIDs == nil && b.Domains == nil && b.SearchFilters == nil {
		bad("body", "needs company_ids, domains or search_filters")
	}
	for _, raw := range b.CompanyIDs {
		company, _ := id.Parse[id.Company](raw) // the schema says that it is one
		b.ids = append(b.ids, company)
	}
	for i, d := range b.Domains {
		if strings.TrimSpace(d) == "" || utf8.RuneCountInString(d) > domainLengthMax {
			bad(fmt.Sprintf("domains[%d]", i), fmt.Sprintf("must have 1 to %d characters", domainLengthMax))
		}
	}
	if b.SearchFilters != nil {
		q, more := b.SearchFilters.parse("search_filters")
		b.query, faults = &q, append(faults, more...)
		if b.vague && len(more) == 0 && q.IsEmpty() {
			bad("search_filters", "selects every company, for all that it names is empty; send \"search_filters\": {} to take every company")
		}
	}
	return faults
}

// ListChange reports what adding or removing did.
type ListChange struct {
	List             List         `json:"list"`
	Matched          int          `json:"matched" doc:"Companies that were found."`
	Changed          int          `json:"changed" doc:"Of these, that were not in the list before, or were in it when removing."`
	UnmatchedIDs     []id.Company `json:"unmatched_ids" format:"uuid" doc:"Ids of no company."`
	UnmatchedDomains []string     `json:"unmatched_domains" doc:"Domains of no company, as they were sent."`
	Capped           bool         `json:"capped" doc:"Whether the search matched more than 100,000 companies, of which the first were taken."`
	Warnings         []Warning    `json:"warnings" doc:"Values of the search's filters that no company has."`
}

type listMembersInput struct {
	oneListInput
	Body ListMembers
}

func (s *server) addCompanies(ctx context.Context, caller auth.Caller, in *listMembersInput, a *idempotency.Attempt) error {
	picked, err := s.pick(ctx, caller, in)
	if err != nil {
		return err
	}
	_, _, err = s.Lists.Add(ctx, caller.Workspace, in.List, picked.Companies, idempotency.Last(a, rendered(picked.changeOf)))
	return err
}

func (s *server) removeCompanies(ctx context.Context, caller auth.Caller, in *listMembersInput) (*ListChange, error) {
	picked, err := s.pick(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	l, removed, err := s.Lists.Remove(ctx, caller.Workspace, in.List, picked.Companies)
	if err != nil {
		return nil, err
	}
	told := picked.changeOf(list.Change{List: l, By: removed})
	return &told, nil
}

// picked is what a ListMembers names.
type picked struct{ search.Picked }

// pick finds the companies, if there is the list.
func (s *server) pick(ctx context.Context, caller auth.Caller, in *listMembersInput) (picked, error) {
	if _, err := s.Lists.Get(ctx, caller.Workspace, in.List); err != nil {
		return picked{}, err // before the work of finding companies
	}
	p, err := s.Search.Pick(ctx, search.Wish{IDs: in.Body.ids, Domains: in.Body.Domains, Query: in.Body.query})
	return picked{p}, err
}

func (p picked) changeOf(c list.Change) ListChange {
	return ListChange{
		List: listOf(c.List), Matched: p.Companies.Len(), Changed: c.By, Capped: p.Capped,
		UnmatchedIDs: orEmpty(p.UnmatchedIDs), UnmatchedDomains: orEmpty(p.UnmatchedDomains),
		Warnings: warningsOf(p.Warnings),
	}
}
