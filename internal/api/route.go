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
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/ratelimit"
)

// basePath is where version 1 lives.
const basePath = "/api/v1"

// route is one operation: what it needs, what it gives, how it is told.
type route struct {
	method, path string // the path below basePath
	scope        auth.Scope
	limit        string // the limit's name in the settings
	perMinute    int    // its built-in size, a token
	status       int    // of success
	operation    string // the operation's id for generated clients
	summary      string
	description  string
	codes        []fault.Code // failures beyond those that every operation of its kind has
	request      any          // an example body
	response     any          // an example answer
	endpoint
}

// endpoint is a handler with the types of what goes in and comes out.
type endpoint struct {
	in, out reflect.Type
	call    func(s *server, ctx context.Context, caller auth.Caller, in any) (any, error)
	once    func(s *server, ctx context.Context, caller auth.Caller, in any, a *idempotency.Attempt) error // in place of call
}

// handle makes an endpoint of a handler. In has fields tagged path or query, and Body for a JSON body.
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
	nothingOut struct{} // an answer without a body
)

// routes is every operation of the API.
func routes() []route {
	return []route{
		{
			method: http.MethodPost, path: "/companies/search", scope: auth.Read,
			limit: "companies.search", perMinute: 60, status: http.StatusOK,
			operation: "searchCompanies", summary: "Search companies",
			description: "Companies that match every parameter given, a page at a time, with the exact total, exact " +
				"counts by facet, and what the whole result would cost to export. Follow next_cursor until it is null: " +
				"every match comes exactly once, also while companies change meanwhile. Free.",
			codes:   []fault.Code{fault.InvalidCursor, fault.IndexUnavailable},
			request: searchExample, response: searchAnswerExample, endpoint: handle((*server).searchCompanies),
		},
		{
			method: http.MethodGet, path: "/companies/{company_id}", scope: auth.Read,
			limit: "companies.get", perMinute: 120, status: http.StatusOK,
			operation: "getCompany", summary: "Get a company",
			description: "The whole company, with its connections and the source's further attributes. Free.",
			codes:       []fault.Code{fault.NotFound}, response: companyDetailExample, endpoint: handle((*server).getCompany),
		},
		{
			method: http.MethodGet, path: "/credits", scope: auth.Read,
			limit: "credits.get", perMinute: 60, status: http.StatusOK,
			operation: "getCredits", summary: "Get the balance",
			description: "The workspace's credits and its 20 newest transactions, newest first.",
			response:    creditsExample, endpoint: handle((*server).getCredits),
		},
		{
			method: http.MethodGet, path: "/credits/transactions", scope: auth.Read,
			limit: "credits.transactions", perMinute: 60, status: http.StatusOK,
			operation: "listTransactions", summary: "List the ledger's transactions",
			description: "Every grant, purchase, adjustment, charge and refund of the workspace, newest first, each with the " +
				"balance after it, who made it and the export that it is of. A cursor goes with its filters.",
			codes: []fault.Code{fault.InvalidCursor}, response: transactionsExample, endpoint: handle((*server).listTransactions),
		},
		{
			method: http.MethodPost, path: "/exports", scope: auth.ReadWrite,
			limit: "exports.create", perMinute: 5, status: http.StatusCreated,
			operation: "createExport", summary: "Create an export",
			description: "Creates an export job from a search or a saved list and charges one credit for each company " +
				"that the workspace has not exported before. The rows are fixed now; the job runs asynchronously: poll " +
				"its status, then download the file. One export holds at most 10,000 companies. If the balance does not " +
				"cover the new companies, nothing is created and nothing is charged, unless on_insufficient_balance is " +
				"partial. With a quote_id it exports exactly what was quoted and never costs more.",
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
			description: "The same body and the same arithmetic as creating the export; creates and charges nothing. " +
				"name may be left out. The companies and their price are frozen for 15 minutes: create the export with the " +
				"quote_id to get exactly these, for what was quoted or less. No credits are held back meanwhile.",
			codes:   []fault.Code{fault.NoCandidates, fault.NotFound, fault.IndexUnavailable},
			request: exportExample, response: quoteExample, endpoint: once[quoteInput, QuoteResponse]((*server).quoteExport),
		},
		{
			method: http.MethodGet, path: "/exports", scope: auth.Read,
			limit: "exports.list", perMinute: 60, status: http.StatusOK,
			operation: "listExports", summary: "List exports", description: "The workspace's exports, newest first.",
			codes: []fault.Code{fault.InvalidCursor}, response: exportsExample, endpoint: handle((*server).listExports),
		},
		{
			method: http.MethodGet, path: "/exports/{export_id}", scope: auth.Read,
			limit: "exports.get", perMinute: 120, status: http.StatusOK,
			operation: "getExport", summary: "Get an export",
			description: "How far the export is, and what it cost. Poll it until status is completed or failed.",
			codes:       []fault.Code{fault.NotFound}, response: exportDetailExample, endpoint: handle((*server).getExport),
		},
		{
			method: http.MethodPost, path: "/exports/{export_id}/download", scope: auth.Read,
			limit: "exports.download", perMinute: 30, status: http.StatusOK,
			operation: "downloadExport", summary: "Get a download link",
			description: "A link to the export's file that works for 15 minutes, by a plain GET without a token, in ranges " +
				"too, and one to its manifest, which says what the file must be. Free, as often as wanted.",
			codes:    []fault.Code{fault.ExportNotCompleted, fault.NotFound},
			response: downloadExample, endpoint: handle((*server).downloadExport),
		},
		{
			method: http.MethodPost, path: "/exports/{export_id}/cancel", scope: auth.ReadWrite,
			limit: "exports.cancel", perMinute: 30, status: http.StatusOK,
			operation: "cancelExport", summary: "Cancel an export",
			description: "Ends an export that is pending or processing. There will be no file, and at once every credit comes " +
				"back that it was charged for a company which no other export of the workspace delivers; the workspace no longer " +
				"has those companies. Cancelling it again changes nothing and answers the same.",
			codes: []fault.Code{fault.NotFound, fault.ExportNotCancellable}, response: cancelledExample,
			endpoint: once[oneExportInput, ExportDetail]((*server).cancelExport),
		},
		{
			method: http.MethodGet, path: "/exports/{export_id}/receipt", scope: auth.Read,
			limit: "exports.receipt", perMinute: 30, status: http.StatusOK,
			operation: "getReceipt", summary: "Get an export's receipt",
			description: "What each row of the export's file cost, in the file's order: charged by this export, or owned since " +
				"which export and when.",
			codes: []fault.Code{fault.NotFound, fault.InvalidCursor}, response: receiptExample, endpoint: handle((*server).getReceipt),
		},
		{
			method: http.MethodGet, path: "/lists", scope: auth.Read,
			limit: "lists.list", perMinute: 60, status: http.StatusOK,
			operation: "listLists", summary: "List saved lists", description: "The workspace's lists, newest first.",
			codes: []fault.Code{fault.InvalidCursor}, response: listsExample, endpoint: handle((*server).listLists),
		},
		{
			method: http.MethodPost, path: "/lists", scope: auth.ReadWrite,
			limit: "lists.create", perMinute: 60, status: http.StatusCreated,
			operation: "createList", summary: "Create a list", description: "An empty list. Names need not be unique.",
			request: listNameExample, response: emptyListExample, endpoint: once[newListInput, List]((*server).createList),
		},
		{
			method: http.MethodGet, path: "/lists/{list_id}", scope: auth.Read,
			limit: "lists.get", perMinute: 120, status: http.StatusOK,
			operation: "getList", summary: "Get a list", description: "The list's name and size.",
			codes: []fault.Code{fault.NotFound}, response: listExample, endpoint: handle((*server).getList),
		},
		{
			method: http.MethodPatch, path: "/lists/{list_id}", scope: auth.ReadWrite,
			limit: "lists.update", perMinute: 60, status: http.StatusOK,
			operation: "updateList", summary: "Rename a list", description: "Gives the list another name.",
			codes: []fault.Code{fault.NotFound}, request: listNameExample, response: listExample,
			endpoint: handle((*server).updateList),
		},
		{
			method: http.MethodDelete, path: "/lists/{list_id}", scope: auth.ReadWrite,
			limit: "lists.delete", perMinute: 60, status: http.StatusNoContent,
			operation: "deleteList", summary: "Delete a list",
			description: "Deletes the list, not its companies; exports made from it stay.",
			codes:       []fault.Code{fault.NotFound}, endpoint: handle((*server).deleteList),
		},
		{
			method: http.MethodGet, path: "/lists/{list_id}/companies", scope: auth.Read,
			limit: "lists.companies", perMinute: 60, status: http.StatusOK,
			operation: "listListCompanies", summary: "List a list's companies",
			description: "The list's companies, a page at a time.",
			codes:       []fault.Code{fault.NotFound, fault.InvalidCursor}, response: listCompaniesExample,
			endpoint: handle((*server).listCompanies),
		},
		{
			method: http.MethodPost, path: "/lists/{list_id}/companies", scope: auth.ReadWrite,
			limit: "lists.add", perMinute: 60, status: http.StatusOK,
			operation: "addListCompanies", summary: "Add companies to a list",
			description: "Adds companies by id, by domain, or every match of a search, and reports what was not found. " +
				"A company that is in the list already stays in it once.",
			codes: []fault.Code{fault.NotFound, fault.IndexUnavailable}, request: listMembersExample, response: listChangeExample,
			endpoint: once[listMembersInput, ListChange]((*server).addCompanies),
		},
		{
			method: http.MethodDelete, path: "/lists/{list_id}/companies", scope: auth.ReadWrite,
			limit: "lists.remove", perMinute: 60, status: http.StatusOK,
			operation: "removeListCompanies", summary: "Remove companies from a list",
			description: "Takes companies out by id, by domain, or every match of a search, and reports what was not found.",
			codes:       []fault.Code{fault.NotFound, fault.IndexUnavailable}, request: listMembersExample, response: listChangeExample,
			endpoint: handle((*server).removeCompanies),
		},
	}
}

// Limits is the built-in rate limit of each operation, a token, by the limit's name.
func Limits() map[string]ratelimit.Limit {
	limits := map[string]ratelimit.Limit{}
	for _, r := range routes() {
		limits[r.limit] = ratelimit.PerMinute(r.perMinute)
	}
	return limits
}

// checkLimits refuses overrides of limits that do not exist: a misspelt one would leave the built-in limit in force.
func checkLimits(o ratelimit.Overrides) error {
	known := slices.Sorted(maps.Keys(Limits()))
	var errs []error
	for _, name := range o.Names() {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("no rate limit is called %q; the limits are %s", name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}
