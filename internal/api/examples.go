package api

import (
	"encoding/json"
	"time"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
)

// The examples of the OpenAPI document. Responses are values of the Go types that handlers return, so they cannot drift.
// Requests are JSON as a person would write it; a test validates them.
var (
	exampleTime   = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	exampleDone   = exampleTime.Add(2 * time.Second)
	exampleExport = exampleID[id.Export]("0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f")
	exampleList   = exampleID[id.List]("0195510c-8b2d-7f00-8c44-5d2f1e0a9b8c")
	exampleAudit  = exampleID[id.AuditEntry]("0195510c-7a3c-7d52-b6a1-9c8d7e6f5a4c")
	exampleEntry  = exampleID[id.Entry]("0195510c-7a3c-7d52-b6a1-9c8d7e6f5a4b")
	exampleMatch  = exampleID[id.MatchResult]("0195510c-9c3e-7a11-9d55-6e3f2f1bac9d")
	exampleSpace  = exampleID[id.Workspace]("01954e00-1111-7222-8333-444455556666")

	searchExample = json.RawMessage(`{"query":"fintech","countries":["US"],"employee_count_min":50,"limit":25}`)

	compareExample  = json.RawMessage(`{"sets":[{"search":{"countries":["US"]}},{"owned":true}]}`)
	comparedExample = CompareResponse{
		Regions: []Region{
			{In: []int{0}, Count: 812, NewCount: 812, Set: query.SetRef{AllOf: []query.SetRef{exampleUS, {Not: &query.SetRef{Owned: true}}}}},
			{In: []int{1}, Count: 317, AlreadyUnlocked: 317, Set: query.SetRef{AllOf: []query.SetRef{{Owned: true}, {Not: &exampleUS}}}},
			{In: []int{0, 1}, Count: 3, AlreadyUnlocked: 3, Set: query.SetRef{AllOf: []query.SetRef{exampleUS, {Owned: true}}}},
		},
		Warnings: []Warning{},
	}
	exampleUS = query.SetRef{Search: &query.Filters{Countries: []string{"US"}}}

	companyExample = Company{
		ID: exampleID[id.Company]("01954e00-2222-7333-8444-555566667777"), Name: "Example Robotics GmbH",
		Domain: new("example-robotics.test"), Website: new("https://example-robotics.test"),
		Description: new("Builds made-up robots."), Country: new("Germany"), CountryCode: new("DE"),
		State: new("Bavaria"), City: new("Munich"), Industries: []string{"Robotics"}, NAICSCodes: []string{"333998"},
		Technologies: []string{"Go"}, TechnologyCategories: []string{"Languages"},
		EmployeeCount: new(int64(240)), FoundedYear: new(int64(2011)), CreatedAt: exampleTime, UpdatedAt: exampleTime,
	}

	searchAnswerExample = SearchResponse{
		Items: []Company{companyExample}, Total: 4213,
		Aggregations: Aggregations{counts: search.Facets{
			Values: map[search.Facet][]search.Count{"countries": {{Value: "Germany", Count: 812}}, "industries": {{Value: "Robotics", Count: 611}}},
			Bands:  map[search.Facet][]search.Band{"employee_count": {{Min: new(int64(201)), Max: new(int64(500)), Count: 97}}},
		}},
		NextCursor: new("AWm4…"), Warnings: []Warning{}, Credits: Price{AlreadyUnlocked: 320, NewCount: 3893},
	}

	matchExample = json.RawMessage(`{"rows":[{"key":"crm-1","domain":"example-robotics.test"},{"key":"crm-2","name":"Unheard Of","country":"DE"}]}`)

	matchAnswerExample = MatchResponse{
		MatchID: exampleMatch, ExpiresAt: exampleTime.Add(15 * time.Minute), Matched: 1, Unmatched: 1, Companies: 1,
		Rows: []MatchedRow{
			{
				Key: new("crm-1"), Status: search.Matched, Reason: new(search.ByDomain), Confidence: 0.95, Candidates: []MatchCompany{},
				Company: &MatchCompany{
					ID: companyExample.ID, Name: companyExample.Name, Domain: companyExample.Domain, Country: companyExample.Country, City: companyExample.City,
				},
			},
			{Key: new("crm-2"), Status: search.Unmatched, Candidates: []MatchCompany{}},
		},
		Credits: Price{NewCount: 1}, Coverage: []Coverage{{"name", 1}, {"domain", 1}, {"linkedin_url", 0}},
	}

	companyDetailExample = CompanyDetail{
		Company: companyExample, Attributes: map[string]any{"ticker": "EXRB"},
		Connections: []Connection{{Category: "vendor", Company: Connected{
			Name: new("Example Cloud Inc."), Domain: new("example-cloud.test"),
		}}},
	}

	creditsExample = CreditsResponse{
		WorkspaceID: exampleSpace, Balance: 1250,
		RecentTransactions: []Transaction{{
			ID: exampleEntry, Amount: -180, Reason: "export_charge",
			Reference: new("export:" + exampleExport.String() + ":create"), CreatedAt: exampleTime,
		}},
	}

	exportExample = json.RawMessage(`{"name":"US fintech 50+","source_type":"search","export_format":"csv",` +
		`"search_filters":{"query":"fintech","countries":["US"],"employee_count_min":50}}`)

	figuresExample = Figures{RequestedCount: 500, AlreadyUnlocked: 320, NewCount: 180, Cost: 180, CreditsCharged: 180}

	exportAnswerExample = ExportResponse{
		ExportJob: ExportJob{
			ID: exampleExport, Name: "US fintech 50+", Status: "pending", ExportFormat: "csv", SourceType: "search",
		},
		Figures: figuresExample, TransactionID: &exampleEntry, Warnings: []Warning{},
	}

	quoteExample = QuoteResponse{
		QuoteID: exampleID[id.Quote]("0195510c-6f00-7a41-8b7e-2c3d4e5f6a7b"), ExpiresAt: exampleTime.Add(15 * time.Minute),
		Figures: Figures{RequestedCount: 500, AlreadyUnlocked: 320, NewCount: 180, Cost: 180},
		Balance: 1250, BudgetLeft: new(int64(320)), Affordable: true, Warnings: []Warning{},
	}

	exportDetailExample = ExportDetail{
		ID: exampleExport, WorkspaceID: exampleSpace, Name: "US fintech 50+", ExportFormat: "csv", SourceType: "search",
		Status: "completed", TotalRecords: 500, ProcessedRecords: 500, FileSizeBytes: new(int64(412_345)),
		CreatedAt: exampleTime, CompletedAt: &exampleDone, Figures: figuresExample, TransactionID: &exampleEntry,
		SearchFilters: storedFilters(`{"query":"fintech","countries":["US"]}`), OnInsufficientBalance: balanceFail,
	}

	exportsExample = ExportsResponse{Items: []ExportDetail{exportDetailExample}}

	downloadExample = DownloadResponse{
		DownloadURL: "https://capi.example.com/files/exports/…/us-fintech-50.csv?expires=…&signature=…",
		ManifestURL: "https://capi.example.com/files/exports/…/us-fintech-50.csv.manifest.json?expires=…&signature=…",
		ExpiresAt:   exampleTime.Add(15 * time.Minute),
	}

	cancelledExample = func() ExportDetail {
		e := exportDetailExample
		e.Status, e.ProcessedRecords, e.FileSizeBytes, e.CreditsRefunded = "cancelled", 0, nil, e.CreditsCharged
		return e
	}()

	transactionsExample = TransactionsResponse{Items: []LedgerEntry{{
		ID: exampleEntry, Amount: -180, BalanceAfter: 1250, Reason: "export_charge",
		Reference: new("export:" + exampleExport.String() + ":create"), ExportID: &exampleExport,
		Actor:     Actor{Type: "token", ID: new("0195510c-0000-7000-8000-000000000001"), Name: new("laptop")},
		CreatedAt: exampleTime,
	}}}

	auditExample = AuditResponse{Items: []AuditEntry{{
		ID: exampleAudit, CreatedAt: exampleTime, Action: "token.revoked", Subject: "token:0195510c-0000-7000-8000-000000000001",
		Actor:   Actor{Type: "person", ID: new("0195510c-0000-7000-8000-00000000000a"), Name: new("Ann")},
		Address: new("203.0.113.5"), Name: new("laptop"), Details: map[string]any{},
	}}}

	receiptExample = ReceiptResponse{
		ExportID: exampleExport, Status: "completed", CreditsCharged: 180, TransactionID: &exampleEntry,
		Items: []ReceiptLine{{
			CompanyID: companyExample.ID, Name: companyExample.Name, Domain: companyExample.Domain, Status: "charged", Credits: 1,
			UnlockedBy: exampleExport, UnlockedAt: exampleTime,
		}},
	}

	listNameExample    = ListRequest{Name: "Partners 2026"}
	listExample        = List{ID: exampleList, Name: "Partners 2026", CompanyCount: 2, CreatedAt: exampleTime, UpdatedAt: exampleDone}
	emptyListExample   = List{ID: exampleList, Name: "Partners 2026", CreatedAt: exampleTime, UpdatedAt: exampleTime}
	listsExample       = ListsResponse{Items: []List{listExample}}
	listMembersExample = map[string]any{"domains": []string{"example-robotics.test", "nobody.test"}}
	listChangeExample  = ListChange{
		List: listExample, Matched: 1, Changed: 1, UnmatchedIDs: []id.Company{}, UnmatchedDomains: []string{"nobody.test"},
		Warnings: []Warning{},
	}
	listCompaniesExample = ListCompaniesResponse{Items: []Company{companyExample}, Total: 2}
)

func exampleID[T id.ID[K], K any](s string) T {
	parsed, err := id.Parse[T, K](s)
	if err != nil {
		panic(err)
	}
	return parsed
}
