package client

import (
	"context"
	"net/http"
)

// Comparison is every region of some sets.
type Comparison struct {
	Regions       []Region  `json:"regions"`
	ExcludedCount int       `json:"excluded_count"` // left out because they are on an excluded list
	Warnings      []Warning `json:"warnings"`
}

// Region is the companies that are in the sets at the positions In, and in none of the others.
type Region struct {
	In              []int  `json:"in"`
	Count           int    `json:"count"`
	AlreadyUnlocked int    `json:"already_unlocked"`
	NewCount        int    `json:"new_count"`
	Set             SetRef `json:"set"`
}

// CompareSets counts the companies in every region of up to eight sets.
func (c *Client) CompareSets(ctx context.Context, sets ...SetRef) (*Comparison, error) {
	body := struct {
		Sets []SetRef `json:"sets"`
	}{sets}
	var found Comparison
	if err := c.call(ctx, http.MethodPost, "/sets/compare", body, &found); err != nil {
		return nil, err
	}
	return &found, nil
}
