package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
)

// matchBytesMax is the largest list: some 400 bytes for each of 10,000 rows.
const matchBytesMax = 4 << 20

// MatchRequest is a list of a caller's.
type MatchRequest struct {
	Rows []MatchRow `json:"rows" minItems:"1" maxItems:"10000" doc:"The rows. Each needs at least one of id, domain, website, linkedin_url and name."`
}

// MatchRow is a row of a caller's list. Its json names are those of the fields of a company.
type MatchRow struct {
	Key         string `json:"key,omitempty" maxLength:"1000" doc:"What you call the row, such as its id in your CRM. An export of the match has it in the column match_key." example:"0063X00000aBcDe"`
	ID          string `json:"id,omitempty" maxLength:"1000" doc:"The id of a company, or the id that the catalog's source gave it. A mere number must be confirmed by the domain or the name."`
	Name        string `json:"name,omitempty" maxLength:"1000" doc:"Compared without letter case, accents, punctuation and spaces." example:"Example Robotics"`
	Domain      string `json:"domain,omitempty" maxLength:"1000" doc:"A domain; a URL or an email address is read as its domain." example:"example-robotics.test"`
	Website     string `json:"website,omitempty" maxLength:"1000" doc:"A URL; its domain is compared."`
	LinkedInURL string `json:"linkedin_url,omitempty" maxLength:"1000" doc:"The company's page on LinkedIn, such as https://www.linkedin.com/company/example."`
	Country     string `json:"country,omitempty" maxLength:"1000" doc:"A name or an ISO 3166 code. It decides between companies of one name or one domain."`
	City        string `json:"city,omitempty" maxLength:"1000" doc:"It decides between companies of one name or one domain."`
}

// MatchResponse is what the rows matched.
type MatchResponse struct {
	MatchID   id.MatchResult `json:"match_id" format:"uuid" doc:"The companies that were found, as a set: export or quote it with source_type match, or put it on a list."`
	ExpiresAt time.Time      `json:"expires_at" doc:"When the match_id stops working: 15 minutes from now."`
	Rows      []MatchedRow   `json:"rows" doc:"The outcome of each row, in the order of the request."`
	Matched   int            `json:"matched" doc:"Rows that matched a company." example:"812"`
	Ambiguous int            `json:"ambiguous" doc:"Rows that several companies may mean; they are not in the match." example:"34"`
	Unmatched int            `json:"unmatched" doc:"Rows that no company matches." example:"154"`
	Companies int            `json:"companies" doc:"Different companies that were found: already_unlocked, new_count and excluded_count together." example:"790"`
	Credits   Price          `json:"credits" doc:"What exporting the match would cost."`
	Excluded  int            `json:"excluded_count" doc:"Companies that were found and are left out of quotes and exports, because they are on an excluded list." example:"0"`
	Coverage  []Coverage     `json:"coverage" doc:"How many of the companies that were found have a value of each field."`
}

// Coverage is how many companies have a value of a field.
type Coverage struct {
	Field string `json:"field" doc:"The name of the field." example:"linkedin_url"`
	Count int    `json:"count" doc:"Companies that have a value of it." example:"640"`
}

// MatchedRow is the outcome of a row.
type MatchedRow struct {
	Key        *string             `json:"key" doc:"The row's key; null if it had none."`
	Status     search.MatchStatus  `json:"status" enum:"matched,ambiguous,unmatched" doc:"matched: one company is meant. ambiguous: several may be. unmatched: none is."`
	Reason     *search.MatchReason `json:"reason" enum:"id,domain,linkedin_url,name" doc:"The value by which the row matched; null if it matched nothing."`
	Confidence float64             `json:"confidence" doc:"From 0 to 1, fixed by the rule that matched: id 1; domain 0.95, or 0.9 if the name or the place decided between several companies; linkedin_url 0.9; name 0.9 with country and city, 0.8 with one of them, 0.6 alone. 0 unless matched." example:"0.95"`
	Company    *MatchCompany       `json:"company" doc:"The company; null unless matched."`
	Candidates []MatchCompany      `json:"candidates" doc:"Of an ambiguous row: the companies that may be meant, at most five, the likeliest first."`
}

// TransformSchema allows null for the company.
func (*MatchedRow) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNullSchema(s, "company")
}

// MatchCompany is a company in short, as the workspace sees it.
type MatchCompany struct {
	ID           id.Company `json:"id" format:"uuid" doc:"The id of the company."`
	Name         string     `json:"name" doc:"Its name." example:"Example Robotics GmbH"`
	Domain       *string    `json:"domain" doc:"Its domain; null if it is not known." example:"example-robotics.test"`
	Country      *string    `json:"country" doc:"Its country; null if it is not known." example:"Germany"`
	City         *string    `json:"city" doc:"Its city; null if it is not known." example:"Munich"`
	Unlocked     bool       `json:"unlocked" doc:"Whether the workspace has exported the company before."`
	LockedFields []string   `json:"locked_fields,omitempty" doc:"As in Search companies. Missing if nothing is locked."`
}

type matchInput struct{ Body MatchRequest }

func (s *server) matchCompanies(ctx context.Context, caller auth.Caller, in *matchInput) (*MatchResponse, error) {
	rows := make([]search.MatchRow, len(in.Body.Rows))
	for i, r := range in.Body.Rows {
		rows[i] = search.MatchRow{
			Key: r.Key, ID: r.ID, Name: r.Name, Domain: r.Domain, Website: r.Website, LinkedIn: r.LinkedInURL, Country: r.Country, City: r.City,
		}
	}
	found, err := s.Search.Match(ctx, caller, rows)
	if err != nil {
		return nil, err
	}
	out := &MatchResponse{
		MatchID: found.ID, ExpiresAt: found.ExpiresAt, Rows: make([]MatchedRow, len(rows)), Companies: len(found.Entries),
		Matched: found.Counts[search.Matched], Ambiguous: found.Counts[search.Ambiguous], Unmatched: found.Counts[search.Unmatched],
		Credits: Price(found.Credits), Excluded: found.Excluded, Coverage: make([]Coverage, len(found.Coverage)),
	}
	for i, c := range found.Coverage {
		out.Coverage[i] = Coverage{Field: c.Value, Count: c.Count}
	}
	for i, r := range found.Rows {
		out.Rows[i] = MatchedRow{
			Key: orNull(rows[i].Key), Status: r.Status, Reason: orNull(r.Reason), Confidence: r.Confidence,
			Candidates: make([]MatchCompany, len(r.Candidates)),
		}
		if r.Company != nil {
			out.Rows[i].Company = new(matchCompanyOf(*r.Company))
		}
		for n, c := range r.Candidates {
			out.Rows[i].Candidates[n] = matchCompanyOf(c)
		}
	}
	return out, nil
}

func matchCompanyOf(i search.Item) MatchCompany {
	return MatchCompany{
		ID: i.ID, Name: i.Name, Domain: orNull(i.Domain), Country: orNull(i.Country), City: orNull(i.City),
		Unlocked: i.Unlocked, LockedFields: i.Locked.Names(),
	}
}
