package api

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/list"
)

// List is a saved list, without its companies.
type List struct {
	ID           id.List   `json:"id" format:"uuid" doc:"The id of the list."`
	Name         string    `json:"name" doc:"The name of the list." example:"Partners 2026"`
	CompanyCount int       `json:"company_count" doc:"Companies on the list." example:"2"`
	Excluded     bool      `json:"excluded" doc:"Whether its companies are left out of every search, quote and export of the workspace."`
	CreatedAt    time.Time `json:"created_at" doc:"When the list was created."`
	UpdatedAt    time.Time `json:"updated_at" doc:"When the name or the companies of the list last changed."`
}

// ListRequest is the body that creates a list.
type ListRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"200" doc:"The name of the list. It need not be unique." example:"Partners 2026"`
}

// ListUpdate is the body that changes a list. What is missing stays as it is.
type ListUpdate struct {
	Name     *string `json:"name,omitempty" minLength:"1" maxLength:"200" doc:"The name of the list. It need not be unique." example:"Partners 2026"`
	Excluded *bool   `json:"excluded,omitempty" doc:"true leaves the list's companies out of every search, quote and export of the workspace, until it is false again."`
}

// Resolve refuses a body that changes nothing.
func (b *ListUpdate) Resolve() []fault.FieldError {
	if b.Name == nil && b.Excluded == nil {
		return []fault.FieldError{{Field: "name", Message: "is required without excluded"}}
	}
	return nil
}

// ListsResponse is one page of lists.
type ListsResponse struct {
	Items      []List  `json:"items" doc:"The lists of this page, newest first."`
	NextCursor *string `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
}

func listOf(l list.List) List {
	return List{ID: l.ID, Name: l.Name, CompanyCount: l.Len, Excluded: l.Excluded, CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt}
}

// answerList converts the result of an operation on one list.
func answerList(l list.List, err error) (*List, error) {
	if err != nil {
		return nil, err
	}
	out := listOf(l)
	return &out, nil
}

func (s *server) listLists(ctx context.Context, caller auth.Caller, in *pageInput) (*ListsResponse, error) {
	scope := cursor.NewScope("lists", caller.Workspace)
	before, err := readCursor(scope, in.Cursor, id.Parse[id.List])
	if err != nil {
		return nil, err
	}
	lists, err := s.Lists.List(ctx, caller.Workspace, before, in.size()+1)
	if err != nil {
		return nil, err
	}
	page := &ListsResponse{Items: []List{}}
	for _, l := range lists[:min(len(lists), in.size())] {
		page.Items = append(page.Items, listOf(l))
	}
	if len(lists) > in.size() {
		page.NextCursor = nextCursor(scope, lists[in.size()-1].ID)
	}
	return page, nil
}

type newListInput struct{ Body ListRequest }

func (s *server) createList(ctx context.Context, caller auth.Caller, in *newListInput, a *idempotency.Attempt) error {
	_, err := s.Lists.Create(ctx, caller.Workspace, in.Body.Name, idempotency.Last(a, rendered(listOf)))
	return err
}

type oneListInput struct {
	List id.List `path:"list_id" format:"uuid" doc:"The id of the list."`
}

func (s *server) getList(ctx context.Context, caller auth.Caller, in *oneListInput) (*List, error) {
	return answerList(s.Lists.Get(ctx, caller.Workspace, in.List))
}

type updateListInput struct {
	oneListInput
	Body ListUpdate
}

func (s *server) updateList(ctx context.Context, caller auth.Caller, in *updateListInput) (*List, error) {
	return answerList(s.Lists.Update(ctx, caller.Workspace, in.List, list.Update{Name: in.Body.Name, Excluded: in.Body.Excluded}))
}

func (s *server) deleteList(ctx context.Context, caller auth.Caller, in *oneListInput) (*nothingOut, error) {
	return nil, s.Lists.Delete(ctx, caller.Workspace, in.List)
}

type listPageInput struct {
	oneListInput
	pageInput
}

// ListCompaniesResponse is one page of a list's companies.
type ListCompaniesResponse struct {
	Items      []Company `json:"items" doc:"The companies of this page."`
	Total      int       `json:"total" doc:"Companies in the list."`
	NextCursor *string   `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
}

func (s *server) listCompanies(ctx context.Context, caller auth.Caller, in *listPageInput) (*ListCompaniesResponse, error) {
	scope := cursor.NewScope("list companies", in.List)
	after, err := readCursor(scope, in.Cursor, parseNumber)
	if err != nil {
		return nil, err
	}
	l, err := s.Lists.Get(ctx, caller.Workspace, in.List)
	if err != nil {
		return nil, err
	}
	numbers, more, err := s.Lists.Numbers(ctx, caller.Workspace, in.List, after, in.size())
	if err != nil {
		return nil, err
	}
	items, err := s.Search.Items(ctx, caller, numbers)
	if err != nil {
		return nil, err
	}
	page := &ListCompaniesResponse{Items: companiesOf(items), Total: l.Len}
	if more {
		page.NextCursor = nextCursor(scope, numbers[len(numbers)-1])
	}
	return page, nil
}
