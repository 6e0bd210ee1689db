package api

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/cursor"
)

// pageSize is the default number of items on a page.
const pageSize = 25

func orPageSize(limit *int) int {
	if limit == nil {
		return pageSize
	}
	return *limit
}

// pageInput are the parameters of a paged list.
type pageInput struct {
	Cursor string `query:"cursor" doc:"next_cursor of the previous page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25" doc:"Items on a page."`
}

func (p pageInput) size() int {
	if p.Limit == 0 {
		return pageSize
	}
	return p.Limit
}

func parseNumber(s string) (company.Number, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return company.Number(n), err
}

// nextCursor returns the cursor of the page after the one that ends with last.
func nextCursor(scope cursor.Scope, last any) *string {
	next := scope.Encode(fmt.Append(nil, last))
	return &next
}

// readCursor returns the last item of the page before, as nextCursor was given it; the zero T for the first page.
func readCursor[T any](scope cursor.Scope, after string, parse func(string) (T, error)) (last T, err error) {
	position, err := scope.Decode(strings.TrimSpace(after))
	if err != nil || position == nil {
		return last, err
	}
	if last, err = parse(string(position)); err != nil {
		return last, cursor.Unreadable(err)
	}
	return last, nil
}
