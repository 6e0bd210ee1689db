package client

import (
	"context"
	"net/http"
	"time"
)

// MatchRow is a row of a list to match. It needs at least one of ID, Domain, Website, LinkedInURL and Name.
type MatchRow struct {
	Key         string `json:"key,omitempty"` // what the caller calls the row
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"`
	Domain      string `json:"domain,omitempty"`
	Website     string `json:"website,omitempty"`
	LinkedInURL string `json:"linkedin_url,omitempty"`
	Country     string `json:"country,omitempty"`
	City        string `json:"city,omitempty"`
}

// MatchResult is what a list matched. Until ExpiresAt, its ID can be exported, quoted or put on a list.
type MatchResult struct {
	ID        string       `json:"match_id"`
	ExpiresAt time.Time    `json:"expires_at"`
	Rows      []MatchedRow `json:"rows"` // in the order of the request
	Matched   int          `json:"matched"`
	Ambiguous int          `json:"ambiguous"`
	Unmatched int          `json:"unmatched"`
	Companies int          `json:"companies"` // different ones that were found
	Credits   Price        `json:"credits"`
	Excluded  int          `json:"excluded_count"` // left out of quotes and exports because they are on an excluded list
	Coverage  []Coverage   `json:"coverage"`
}

// Coverage is how many companies have a value of a field.
type Coverage struct {
	Field string `json:"field"`
	Count int    `json:"count"`
}

// MatchedRow is the outcome of a row. Status is matched, ambiguous or unmatched.
type MatchedRow struct {
	Key        *string        `json:"key"`
	Status     string         `json:"status"`
	Reason     *string        `json:"reason"`
	Confidence float64        `json:"confidence"`
	Company    *MatchCompany  `json:"company"`
	Candidates []MatchCompany `json:"candidates"`
}

// MatchCompany is a company in short.
type MatchCompany struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Domain       *string  `json:"domain"`
	Country      *string  `json:"country"`
	City         *string  `json:"city"`
	Unlocked     bool     `json:"unlocked"`
	LockedFields []string `json:"locked_fields"`
}

// Match finds the company of each row. It charges nothing.
func (c *Client) Match(ctx context.Context, rows []MatchRow) (*MatchResult, error) {
	var found MatchResult
	body := struct {
		Rows []MatchRow `json:"rows"`
	}{rows}
	if err := c.call(ctx, http.MethodPost, "/companies/match", body, &found); err != nil {
		return nil, err
	}
	return &found, nil
}
