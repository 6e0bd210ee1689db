package search

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
)

// Incoming is a company with a connection to another company, and the categories of that connection.
type Incoming struct {
	Item
	Categories []string
}

// Incomings is one page of the companies with a connection to a company, the largest first.
type Incomings struct {
	Items      []Incoming
	Total      int
	NextCursor string // empty on the last page
}

// Incoming returns one page of the companies with a connection to the company. If connections are locked, these are only companies
// that are shown in full. InvalidCursor for another company's cursor.
func (s *Searcher) Incoming(ctx context.Context, caller auth.Caller, of id.Company, cursor string, limit int) (Incomings, error) {
	q, err := query.Parse(query.Filters{Connections: []query.ConnectionFilter{{ConnectedCompanyID: of.String()}}})
	if err != nil {
		return Incomings{}, err
	}
	asked := Request{Query: q, Sort: unranked, Limit: limit, Cursor: cursor, Facets: []Facet{}, withExcluded: true}
	seen, err := s.seenBy(ctx, caller)
	if err != nil {
		return Incomings{}, err
	}
	if seen.locked.Has("connections") {
		asked.within = &seen.full
	}
	found, err := s.Search(ctx, caller, asked)
	if err != nil {
		return Incomings{}, err
	}
	page := Incomings{Total: found.Total, NextCursor: found.NextCursor, Items: make([]Incoming, len(found.Items))}
	at := map[company.Number]int{}
	numbers := make([]company.Number, len(found.Items))
	for i, item := range found.Items {
		page.Items[i].Item, numbers[i], at[item.Number] = item, item.Number, i
	}
	seq, err := s.Catalog.Seq(ctx)
	if err != nil || len(numbers) == 0 {
		return page, err
	}
	err = s.Catalog.Rows(ctx, numbers, seq, func(c *company.Company) error {
		page.Items[at[c.Number]].Categories = categoriesOf(c, of)
		return nil
	})
	if err != nil {
		return Incomings{}, fmt.Errorf("connections to company %s: %w", of, err)
	}
	return page, nil
}

func categoriesOf(c *company.Company, of id.Company) (categories []string) {
	for i := range c.Connections {
		if c.Connections[i].ID == of {
			categories = append(categories, c.Connections[i].Category)
		}
	}
	return categories
}
