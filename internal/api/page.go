package api

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
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
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"25"`
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

// writePlace is the cursor behind a list's item.
func writePlace(last any) *string {
	cursor := base64.RawURLEncoding.EncodeToString(fmt.Append(nil, last))
	return &cursor
}

// readPlace is what writePlace wrote; zero for no cursor.
func readPlace[T any](cursor string, parse func(string) (T, error)) (T, error) {
	var zero T
	if strings.TrimSpace(cursor) == "" {
		return zero, nil
	}
	bad := fault.New(fault.InvalidCursor, "The cursor cannot be read, or belongs to another list.")
	p, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return zero, bad.Because(err)
	}
	last, err := parse(string(p))
	if err != nil {
		return zero, bad.Because(err)
	}
	return last, nil
}
