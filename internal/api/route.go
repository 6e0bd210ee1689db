package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/ratelimit"
)

// basePath is the path prefix of version 1.
const basePath = "/api/v1"

// route is one operation: what it requires, what it returns and how it is documented.
type route struct {
	method, path string // the path below basePath
	scope        auth.Scope
	limit        string // name of its rate limit in the settings
	perMinute    int    // default rate limit of each token
	bodyBytesMax int64  // defaults to reqbody.SizeBytesMax
	status       int    // of success
	operation    string // the operation's id for generated clients
	summary      string
	description  string
	codes        []fault.Code // faults beyond those that all operations of its kind have
	request      any          // an example body
	response     any          // an example response
	endpoint
}

// endpoint is a handler with the types of its input and output.
type endpoint struct {
	in, out reflect.Type
	call    func(s *server, ctx context.Context, caller auth.Caller, in any) (any, error)
	once    func(s *server, ctx context.Context, caller auth.Caller, in any, a *idempotency.Attempt) error // in place of call
}

// handle makes an endpoint of a handler. In must have fields tagged path or query, and Body for a JSON body.
func handle[In, Out any](fn func(*server, context.Context, auth.Caller, *In) (*Out, error)) endpoint {
	return endpoint{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		call: func(s *server, ctx context.Context, caller auth.Caller, in any) (any, error) {
			return fn(s, ctx, caller, in.(*In))
		},
	}
}

type (
	nothingIn  struct{}
	nothingOut struct{} // a response without a body
)

// routes returns every operation of the API.
func routes() []route {
	return []route{
		{
			method: http.MethodPost, path: "/companies/search", scope: auth.Read,
			limit: "companies.search", perMinute: 60, status: http.StatusOK,
			operation: "searchCompanies", summary: "Search companies",
			description: "Returns the companies that match every given parameter, a page at a time, with the exact total, exact " +
				"facet counts, and the cost of exporting all matches. Follow next_cursor until it is null: every match " +
				"comes exactly once, even if companies change while you page. Free.",
			codes:   []fault.Code{fault.NotFound, fault.InvalidCursor, fault.DailyLimitExceeded, fault.IndexUnavailable},
			request: searchExample, response: searchAnswerExample, endpoint: handle((*server).searchCompanies),
		},
		{
			method: http.MethodPost, path: "/companies/match", scope: auth.Read,
			limit: "companies.match", perMinute: 10, bodyBytesMax: matchBytesMax, status: http.StatusOK,
			operation: "matchCompanies", summary: "Match a list of companies",
			description: "Finds the company of each row by its id, else its domain, else its LinkedIn page, else its name and place, and " +
				"returns the exact price of all that were found and how many of them have each field. Charges nothing; of the rows, " +
				"only their keys are kept. For 15 minutes the match_id can be quoted, exported or put on a list.",
			codes:   []fault.Code{fault.DailyLimitExceeded},
			request: matchExample, response: matchAnswerExample, endpoint: handle((*server).matchCompanies),
		},
		{
			method: http.MethodPost, path: "/sets/compare", scope: auth.Read,
			limit: "sets.compare", perMinute: 60, status: http.StatusOK,
			operation: "compareSets", summary: "Compare sets",
			description: "Counts the companies in every region of up to eight sets, such as those in the first and the third and in no other, " +
				"with what each region would cost. Each region is a set, which can be searched, quoted and exported as it is. Free.",
			codes:   []fault.Code{fault.NotFound, fault.IndexUnavailable},
			request: compareExample, response: comparedExample, endpoint: handle((*server).compareSets),
		},
		{
			method: http.MethodGet, path: "/companies/{company_id}", scope: auth.Read,
			limit: "companies.get", perMinute: 120, status: http.StatusOK,
			operation: "getCompany", summary: "Get a company",
			description: "Returns a company with its connections and further attributes of its source. Free.",
			codes:       []fault.Code{fault.NotFound, fault.DailyLimitExceeded}, response: companyDetailExample, endpoint: handle((*server).getCompany),
		},
		{
			method: http.MethodGet, path: "/credits", scope: auth.Read,
			limit: "credits.get", perMinute: 60, status: http.StatusOK,
			operation: "getCredits", summary: "Get the balance",
			description: "Returns the workspace's balance and its 20 newest transactions, newest first.",
			response:    creditsExample, endpoint: handle((*server).getCredits),
		},
		{
			method: http.MethodGet, path: "/credits/transactions", scope: auth.Read,
			limit: "credits.transactions", perMinute: 60, status: http.StatusOK,
			operation: "listTransactions", summary: "List the ledger's transactions",
			description: "Returns every grant, purchase, adjustment, charge and refund of the workspace, newest first, each with the " +
				"balance after it, who made it and the export that it belongs to. Send a cursor with the same filters.",
			codes: []fault.Code{fault.InvalidCursor}, response: transactionsExample, endpoint: handle((*server).listTransactions),
		},
		{
			method: http.MethodGet, path: "/audit", scope: auth.Read,
			limit: "audit", perMinute: 60, status: http.StatusOK,
			operation: "listAudit", summary: "List the audit log",
			description: "Returns who changed the workspace's people, roles, tokens, budgets and credits, newest first. The token must " +
				"belong to an owner of the workspace. Send a cursor with the same filters.",
			codes: []fault.Code{fault.Forbidden, fault.InvalidCursor}, response: auditExample, endpoint: handle((*server).listAudit),
		},
		{
			method: http.MethodPost, path: "/exports", scope: auth.ReadWrite,
			limit: "exports.create", perMinute: 5, status: http.StatusCreated,
			operation: "createExport", summary: "Create an export",
			description: "Creates an export job from a search or a saved list and charges one credit for each company " +
				"that the workspace has not exported before. The rows are fixed now; the job runs asynchronously: poll " +
				"its status, then download the file. One export holds at most 10,000 companies. If the balance does not " +
				"cover the new companies, nothing is created or charged, unless on_insufficient_balance is partial. With " +
				"a quote_id, it exports exactly what was quoted and never costs more.",
			codes: []fault.Code{
				fault.NoCandidates, fault.InsufficientBalance, fault.TokenBudgetExceeded, fault.MaxCreditsExceeded,
				fault.NotFound, fault.QuoteExpired, fault.QuoteOutdated, fault.IndexUnavailable,
			},
			request: exportExample, response: exportAnswerExample, endpoint: once[exportInput, ExportResponse]((*server).createExport),
		},
		{
			method: http.MethodPost, path: "/exports/quote", scope: auth.Read,
			limit: "exports.quote", perMinute: 30, status: http.StatusOK,
			operation: "quoteExport", summary: "Quote an export",
			description: "Calculates what an export would cost, from the same body, and charges nothing; name is optional. The " +
				"companies and their price are fixed for 15 minutes: create the export with the quote_id to get exactly " +
				"these companies at the quoted cost or less. No credits are reserved.",
			codes:   []fault.Code{fault.NoCandidates, fault.NotFound, fault.IndexUnavailable},
			request: exportExample, response: quoteExample, endpoint: once[quoteInput, QuoteResponse]((*server).quoteExport),
		},
		{
			method: http.MethodGet, path: "/exports", scope: auth.Read,
			limit: "exports.list", perMinute: 60, status: http.StatusOK,
			operation: "listExports", summary: "List exports", description: "Returns the workspace's exports, newest first.",
			codes: []fault.Code{fault.InvalidCursor}, response: exportsExample, endpoint: handle((*server).listExports),
		},
		{
			method: http.MethodGet, path: "/exports/{export_id}", scope: auth.Read,
			limit: "exports.get", perMinute: 120, status: http.StatusOK,
			operation: "getExport", summary: "Get an export",
			description: "Returns the export's progress and cost. Poll it until status is completed, failed or cancelled.",
			codes:       []fault.Code{fault.NotFound}, response: exportDetailExample, endpoint: handle((*server).getExport),
		},
		{
			method: http.MethodPost, path: "/exports/{export_id}/download", scope: auth.Read,
			limit: "exports.download", perMinute: 30, status: http.StatusOK,
			operation: "downloadExport", summary: "Get a download link",
			description: "Returns a link to the export's file and one to its manifest, which describes the file. The links work for " +
				"15 minutes with a plain GET, without a token, and support Range. Free, as often as you like.",
			codes:    []fault.Code{fault.ExportNotCompleted, fault.NotFound},
			response: downloadExample, endpoint: handle((*server).downloadExport),
		},
		{
			method: http.MethodPost, path: "/exports/{export_id}/cancel", scope: auth.ReadWrite,
			limit: "exports.cancel", perMinute: 30, status: http.StatusOK,
			operation: "cancelExport", summary: "Cancel an export",
			description: "Cancels an export that is pending or processing, so that it writes no file. It refunds at once what was " +
				"charged for companies that no other export of the workspace delivers; the workspace no longer owns those. " +
				"Cancelling again changes nothing and returns the same response.",
			codes: []fault.Code{fault.NotFound, fault.ExportNotCancellable}, response: cancelledExample,
			endpoint: once[oneExportInput, ExportDetail]((*server).cancelExport),
		},
		{
			method: http.MethodGet, path: "/exports/{export_id}/receipt", scope: auth.Read,
			limit: "exports.receipt", perMinute: 30, status: http.StatusOK,
			operation: "getReceipt", summary: "Get an export's receipt",
			description: "Returns the cost of each row of the export's file, in the file's order: charged by this export, or owned " +
				"already, with the export that paid for it and when.",
			codes: []fault.Code{fault.NotFound, fault.InvalidCursor, fault.DailyLimitExceeded}, response: receiptExample, endpoint: handle((*server).getReceipt),
		},
		{
			method: http.MethodGet, path: "/lists", scope: auth.Read,
			limit: "lists.list", perMinute: 60, status: http.StatusOK,
			operation: "listLists", summary: "List saved lists", description: "Returns the workspace's lists, newest first.",
			codes: []fault.Code{fault.InvalidCursor}, response: listsExample, endpoint: handle((*server).listLists),
		},
		{
			method: http.MethodPost, path: "/lists", scope: auth.ReadWrite,
			limit: "lists.create", perMinute: 60, status: http.StatusCreated,
			operation: "createList", summary: "Create a list", description: "Creates an empty list. Names need not be unique.",
			request: listNameExample, response: emptyListExample, endpoint: once[newListInput, List]((*server).createList),
		},
		{
			method: http.MethodGet, path: "/lists/{list_id}", scope: auth.Read,
			limit: "lists.get", perMinute: 120, status: http.StatusOK,
			operation: "getList", summary: "Get a list", description: "Returns the list's name and size.",
			codes: []fault.Code{fault.NotFound}, response: listExample, endpoint: handle((*server).getList),
		},
		{
			method: http.MethodPatch, path: "/lists/{list_id}", scope: auth.ReadWrite,
			limit: "lists.update", perMinute: 60, status: http.StatusOK,
			operation: "updateList", summary: "Change a list",
			description: "Changes the list's name, or whether its companies are excluded: left out of every search, quote and export of the " +
				"workspace. Those say how many they leave out.",
			codes: []fault.Code{fault.NotFound}, request: listNameExample, response: listExample,
			endpoint: handle((*server).updateList),
		},
		{
			method: http.MethodDelete, path: "/lists/{list_id}", scope: auth.ReadWrite,
			limit: "lists.delete", perMinute: 60, status: http.StatusNoContent,
			operation: "deleteList", summary: "Delete a list",
			description: "Deletes the list. Its companies and the exports made from it stay.",
			codes:       []fault.Code{fault.NotFound}, endpoint: handle((*server).deleteList),
		},
		{
			method: http.MethodGet, path: "/lists/{list_id}/companies", scope: auth.Read,
			limit: "lists.companies", perMinute: 60, status: http.StatusOK,
			operation: "listListCompanies", summary: "List a list's companies",
			description: "Returns the list's companies, a page at a time.",
			codes:       []fault.Code{fault.NotFound, fault.InvalidCursor, fault.DailyLimitExceeded}, response: listCompaniesExample,
			endpoint: handle((*server).listCompanies),
		},
		{
			method: http.MethodPost, path: "/lists/{list_id}/companies", scope: auth.ReadWrite,
			limit: "lists.add", perMinute: 60, status: http.StatusOK,
			operation: "addListCompanies", summary: "Add companies to a list",
			description: "Adds companies by id, by domain, or every match of a search, and reports what was not found. " +
				"Adding a company that is in the list already changes nothing.",
			codes: []fault.Code{fault.NotFound, fault.IndexUnavailable}, request: listMembersExample, response: listChangeExample,
			endpoint: once[listMembersInput, ListChange]((*server).addCompanies),
		},
		{
			method: http.MethodDelete, path: "/lists/{list_id}/companies", scope: auth.ReadWrite,
			limit: "lists.remove", perMinute: 60, status: http.StatusOK,
			operation: "removeListCompanies", summary: "Remove companies from a list",
			description: "Removes companies by id, by domain, or every match of a search, and reports what was not found.",
			codes:       []fault.Code{fault.NotFound, fault.IndexUnavailable}, request: listMembersExample, response: listChangeExample,
			endpoint: handle((*server).removeCompanies),
		},
	}
}

// Limits returns the default rate limit of each operation for a token, by the limit's name.
func Limits() map[string]ratelimit.Limit {
	limits := map[string]ratelimit.Limit{}
	for _, r := range routes() {
		limits[r.limit] = ratelimit.PerMinute(r.perMinute)
	}
	return limits
}

// Remaining is what a token may still request of an operation now.
type Remaining struct {
	Name  string
	Limit ratelimit.Limit
	Left  int
}

// RemainingOf returns what the token may still request of each operation, at the server that counts with the limiter. Operations
// without a limit are left out.
func RemainingOf(l *ratelimit.Limiter, o ratelimit.Overrides, token id.Token) (all []Remaining) {
	for _, r := range routes() {
		limit := o.For(r.limit, ratelimit.PerMinute(r.perMinute))
		if !limit.IsOff() {
			all = append(all, Remaining{r.limit, limit, l.Left(bucket(token, r.limit), limit)})
		}
	}
	return all
}

// bucket returns the key of a token's requests of an operation.
func bucket(token id.Token, limit string) string { return token.String() + " " + limit }

// checkLimits returns an error for overrides of unknown limits: a misspelt name would leave the default in force.
func checkLimits(o ratelimit.Overrides) error {
	known := slices.Sorted(maps.Keys(Limits()))
	var errs []error
	for _, name := range o.Names() {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("there is no rate limit %q; the rate limits are %s", name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}
