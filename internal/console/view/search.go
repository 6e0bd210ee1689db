package view

import (
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

// Search is the page of a search.
type Search struct {
	*SearchForm
	Page     string // the address without parameters
	Problems []Problem
	Price    Price
	Found    *search.Result // nil if the form has errors
	Facets   []Facet
	Bands    []Range
	Next     string // the address of the next page; empty at the end
	Later    bool   // not the first page
	Lists    []list.List
	Searches []list.Search
	Curl     string
}
