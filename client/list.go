package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// List is a saved list without its companies.
type List struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	CompanyCount int       `json:"company_count"`
	Excluded     bool      `json:"excluded"` // its companies are left out of every search, quote and export
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// ListMembers selects companies by id, by domain, by a search, by a match, or by several of these.
type ListMembers struct {
	CompanyIDs    []string `json:"company_ids,omitempty"`
	Domains       []string `json:"domains,omitempty"`
	SearchFilters *Filters `json:"search_filters,omitempty"`
	MatchID       string   `json:"match_id,omitempty"` // of a MatchResult
	Set           *SetRef  `json:"set,omitempty"`
}

// ListChange is the result of adding companies to a list or removing them.
type ListChange struct {
	List             List     `json:"list"`
	Matched          int      `json:"matched"`
	Changed          int      `json:"changed"`
	UnmatchedIDs     []string `json:"unmatched_ids"`
	UnmatchedDomains []string `json:"unmatched_domains"`
	Capped           bool     `json:"capped"`

	Warnings []Warning `json:"warnings"`
}

type listName struct {
	Name string `json:"name"`
}

func listPath(id string) string { return "/lists/" + url.PathEscape(id) }

// CreateList creates an empty list.
func (c *Client) CreateList(ctx context.Context, name string) (*List, error) {
	var l List
	if err := c.create(ctx, "/lists", listName{name}, &l); err != nil {
		return nil, err
	}
	return &l, nil
}

// Lists returns one page of the workspace's lists, newest first. A limit of 0 is the server's default.
func (c *Client) Lists(ctx context.Context, cursor string, limit int) (*Page[List], error) {
	var p Page[List]
	if err := c.call(ctx, http.MethodGet, "/lists"+page(cursor, limit), nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// List returns a list's name and size.
func (c *Client) List(ctx context.Context, id string) (*List, error) {
	var l List
	if err := c.call(ctx, http.MethodGet, listPath(id), nil, &l); err != nil {
		return nil, err
	}
	return &l, nil
}

// ExcludeList leaves the companies of the list out of every search, quote and export of the workspace, or no longer.
func (c *Client) ExcludeList(ctx context.Context, id string, excluded bool) (*List, error) {
	var l List
	body := struct {
		Excluded bool `json:"excluded"`
	}{excluded}
	if err := c.call(ctx, http.MethodPatch, listPath(id), body, &l); err != nil {
		return nil, err
	}
	return &l, nil
}

// RenameList changes the name of the list.
func (c *Client) RenameList(ctx context.Context, id, name string) (*List, error) {
	var l List
	if err := c.call(ctx, http.MethodPatch, listPath(id), listName{name}, &l); err != nil {
		return nil, err
	}
	return &l, nil
}

// DeleteList deletes the list.
func (c *Client) DeleteList(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, listPath(id), nil, nil)
}

// ListCompanies returns one page of the list's companies. A limit of 0 is the server's default.
func (c *Client) ListCompanies(ctx context.Context, id, cursor string, limit int) (*Page[Company], error) {
	var p Page[Company]
	if err := c.call(ctx, http.MethodGet, listPath(id)+"/companies"+page(cursor, limit), nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

// AddToList adds companies to the list.
func (c *Client) AddToList(ctx context.Context, id string, m ListMembers) (*ListChange, error) {
	var change ListChange
	if err := c.create(ctx, listPath(id)+"/companies", m, &change); err != nil {
		return nil, err
	}
	return &change, nil
}

// RemoveFromList removes companies from the list.
func (c *Client) RemoveFromList(ctx context.Context, id string, m ListMembers) (*ListChange, error) {
	var change ListChange
	if err := c.call(ctx, http.MethodDelete, listPath(id)+"/companies", m, &change); err != nil {
		return nil, err
	}
	return &change, nil
}
