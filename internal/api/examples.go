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
	exampleTime        = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	exampleDone        = exampleTime.Add(2 * time.Second)
	exampleExport      = exampleID[id.Export]("0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f")
	exampleList        = exampleID[id.List]("0195510c-8b2d-7f00-8c44-5d2f1e0a9b8c")
	exampleAudit       = exampleID[id.AuditEntry]("0195510c-7a3c-7d52-b6a1-9c8d7e6f5a4c")
	exampleEvent       = exampleID[id.Event]("0195510c-7a3d-7e10-8c21-4b3a2f1e0d9c")
	exampleWebhook     = exampleID[id.Webhook]("0195510c-7a3e-7f11-9d32-5c4b3a2f1e0d")
	exampleDelivery    = exampleID[id.Delivery]("0195510c-7a3f-7a12-ae43-6d5c4b3a2f1e")
	exampleOrder       = exampleID[id.Order]("0195510c-7a40-7b13-bf54-7e6d5c4b3a2f")
	exampleRun         = exampleID[id.Run]("0195510c-7a41-7c14-8065-8f7e6d5c4b3a")
	exampleEntry       = exampleID[id.Entry]("0195510c-7a3c-7d52-b6a1-9c8d7e6f5a4b")
	exampleMatch       = exampleID[id.MatchResult]("0195510c-9c3e-7a11-9d55-6e3f2f1bac9d")
	exampleSpace       = exampleID[id.Workspace]("01954e00-1111-7222-8333-444455556666")
	examplePreset      = exampleID[id.Preset]("0195510c-7a43-7b21-9c54-2e1f0d9c8b7a")
	exampleDestination = exampleID[id.Destination]("0195510c-7a42-7012-a143-6d5c4b3a2f1e")

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

	pivotExample   = json.RawMessage(`{"filters":{"query":"fintech"},"rows":"countries","columns":"employee_count"}`)
	pivotedExample = PivotResponse{
		Measure: "count", Total: 815,
		Rows: PivotSide{Aggregation: "countries", Values: []PivotValue{
			{Value: new("Germany"), Count: 500, UnknownCount: 20}, {Value: new("Austria"), Count: 300, UnknownCount: 10},
		}, UnknownCount: 15},
		Columns: PivotSide{Aggregation: "employee_count", Values: []PivotValue{
			{Min: new(int64(0)), Max: new(int64(10)), Count: 600, UnknownCount: 10}, {Min: new(int64(11)), Max: new(int64(50)), Count: 180, UnknownCount: 0},
		}, UnknownCount: 35},
		Cells: [][]int{{370, 110}, {220, 70}}, Warnings: []Warning{},
	}

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

		ManifestSignatureURL: new("https://capi.example.com/files/exports/…/us-fintech-50.csv.manifest.json.jws?expires=…&signature=…"),
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

	statementExample = StatementResponse{
		WorkspaceID: exampleSpace, Month: "2026-03", From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
		OpeningBalance: 1430, ClosingBalance: 1250, Items: transactionsExample.Items,
	}

	auditExample = AuditResponse{Items: []AuditEntry{{
		ID: exampleAudit, CreatedAt: exampleTime, Action: "token.revoked", Subject: "token:0195510c-0000-7000-8000-000000000001",
		Actor:   Actor{Type: "person", ID: new("0195510c-0000-7000-8000-00000000000a"), Name: new("Ann")},
		Address: new("203.0.113.5"), Name: new("laptop"), Details: map[string]any{},
	}}}

	eventsExample = EventsResponse{Items: []Event{{
		ID: exampleEvent, Type: "export.completed", Timestamp: exampleDone,
		Data: map[string]any{
			"export_id": exampleExport, "name": "US fintech 50+", "status": "completed", "export_format": "csv", "total_records": 200,
			"credits_charged": 180, "credits_refunded": 0, "created_at": exampleTime, "file_size_bytes": 52310, "completed_at": exampleDone,
		},
	}}}

	exportEventsExample = "event: export.completed\nid: completed-200-0\ndata: {\"id\": \"" + exampleExport.String() + "\", \"status\": \"completed\", …}\n\n"

	orderRequestExample = json.RawMessage(`{"name":"New US fintech","search_filters":{"query":"fintech","countries":["US"]},"schedule":{"cron":"0 8 * * MON","time_zone":"Europe/Berlin"},"deliver":"added","baseline":true,"max_credits":200,"above_cap":"fill","export_format":"parquet"}`)
	orderChangeExample  = json.RawMessage(`{"max_credits":500,"remove":["ends_at"]}`)
	orderExample        = Order{
		ID: exampleOrder, Name: "New US fintech", State: "active", Deliver: "added",
		Schedule: ScheduleAnswer{Cron: new("0 8 * * MON"), TimeZone: new("Europe/Berlin")}, Missed: "catch_up", AboveCap: "fill",
		MaxCredits: new(int64(200)), CreditsSpent: 37, NextRunAt: new(time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)),
		TokenID: new(exampleID[id.Token]("0195510c-7a42-7d15-9176-908f7e6d5c4b")), CreatedAt: exampleTime,
		SourceType: "search", SearchFilters: storedFilters(`{"query":"fintech","countries":["US"]}`), ExportFormat: "parquet", HeaderRow: "name",
		Compression: "none", Columns: []string{},
		NextRun: &NextRun{
			Status: "exported", Figures: Figures{RequestedCount: 12, AlreadyUnlocked: 3, NewCount: 9, Cost: 9}, Warnings: []Warning{},
		},
	}
	pausedOrderExample = func() Order {
		o := orderExample
		o.State, o.NextRunAt, o.PausedAt, o.PausedReason, o.NextRun = "paused", nil, &exampleTime, new("It was paused on request."), nil
		return o
	}()
	resumedOrderExample = func() Order {
		o := orderExample
		o.NextRun = nil
		return o
	}()
	ordersExample = OrdersResponse{Items: []Order{resumedOrderExample}}
	runExample    = OrderRun{
		ID: exampleRun, OrderID: exampleOrder, ScheduledAt: exampleTime, CreatedAt: exampleTime, Cause: "request", Status: "exported",
		ExportID: &exampleExport, ExportStatus: new("pending"), TotalRecords: 12, CreditsCharged: 9,
	}
	runsExample = RunsResponse{Items: []OrderRun{
		runExample,
		{
			ID: exampleID[id.Run]("0195510c-7a40-7b14-8065-8f7e6d5c4b3a"), OrderID: exampleOrder, ScheduledAt: exampleTime, CreatedAt: exampleTime,
			Cause: "schedule", Status: "skipped", Code: new("MAX_CREDITS_EXCEEDED"),
			Message: new("The 380 new companies cost more than the limit of 200. Nothing was charged."),
		},
	}}

	webhookRequestExample = WebhookRequest{URL: "https://example.com/hooks/capi", Types: []string{"export.*", "credits.low"}, Description: "Tells the data team"}
	webhookChangeExample  = map[string]any{"types": []string{"export.*"}, "enabled": true}
	rotateExample         = RotateRequest{OverlapHours: 24}
	webhookExample        = Webhook{
		ID: exampleWebhook, URL: "https://example.com/hooks/capi", Description: new("Tells the data team"), Types: []string{"export.*"}, Format: "event", Enabled: true,
		CreatedAt: exampleTime,
	}
	newWebhookExample = func() Webhook {
		w := webhookExample
		w.Secret = "whsec_ZXhhbXBsZSBzZWNyZXQgb2YgYSB3ZWJob29rIDMyIQ=="
		return w
	}()
	webhooksExample        = WebhooksResponse{Items: []Webhook{webhookExample}}
	pendingDeliveryExample = Delivery{ID: exampleDelivery, EventID: exampleEvent, EventType: "export.completed", State: "pending", CreatedAt: exampleTime}
	deliveryExample        = Delivery{
		ID: exampleDelivery, EventID: exampleEvent, EventType: "export.completed", State: "delivered", Attempts: 1, CreatedAt: exampleTime,
		AttemptedAt: &exampleDone, ResponseStatus: new(200), ResponseBody: new("ok"), TookMS: new(int64(84)),
	}
	testDeliveryExample = func() Delivery {
		d := deliveryExample
		d.EventType = "webhook.test"
		return d
	}()
	deliveriesExample = DeliveriesResponse{Items: []Delivery{deliveryExample}}

	presetRequestExample = PresetRequest{Name: "CRM", Columns: []string{"name", "domain", "employee_count"}, HeaderRow: "label"}
	presetChangeExample  = map[string]any{"columns": []string{"name", "domain", "country", "employee_count"}}
	presetExample        = Preset{ID: examplePreset, Name: "CRM", Columns: []string{"name", "domain", "employee_count"}, HeaderRow: "label", CreatedAt: exampleTime}
	presetsExample       = PresetsResponse{Items: []Preset{presetExample}}

	destinationRequestExample = DestinationRequest{
		Name: "Data lake", Type: "s3", Prefix: "companies/dt={date}/",
		S3: &BucketRequest{Bucket: "acme-data", Endpoint: "https://storage.example.com", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
	}
	destinationChangeExample = map[string]any{"prefix": "companies/{year}/{month}/"}
	destinationExample       = Destination{
		ID: exampleDestination, Name: "Data lake", Type: "s3", Prefix: "companies/dt={date}/", Place: "https://storage.example.com/acme-data", CreatedAt: exampleTime,
		S3: &Bucket{Bucket: "acme-data", Region: "us-east-1", Endpoint: new("https://storage.example.com"), PathStyle: true, AccessKeyID: "AKIAIOSFODNN7EXAMPLE"},
	}
	destinationsExample    = DestinationsResponse{Items: []Destination{destinationExample}}
	destinationTestExample = DestinationTest{
		OK: true, Path: "companies/dt=2026-03-01/_capi-test.txt", Deleted: true, TookMS: 212,
		Message: "The file companies/dt=2026-03-01/_capi-test.txt was written and deleted.",
	}
	pendingExportDeliveryExample = ExportDelivery{DestinationID: exampleDestination, Status: "pending"}

	receiptExample = ReceiptResponse{
		ExportID: exampleExport, Status: "completed", CreditsCharged: 180, TransactionID: &exampleEntry, ReadAt: exampleDone,
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
