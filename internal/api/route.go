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
			method: http.MethodPost, path: "/companies/pivot", scope: auth.Read,
			limit: "companies.pivot", perMinute: 60, status: http.StatusOK,
			operation: "pivotCompanies", summary: "Count companies in a table",
			description: "Counts the companies that match the filters by the values of two aggregations, in a table with exact cells and totals. " +
				"With `Accept: text/csv` the response is the table as CSV. Free.",
			codes:   []fault.Code{fault.NotFound, fault.IndexUnavailable},
			request: pivotExample, response: pivotedExample, endpoint: handle((*server).pivotCompanies),
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
			method: http.MethodGet, path: "/credits/statements/{month}", scope: auth.Read,
			limit: "credits.statements", perMinute: 10, status: http.StatusOK,
			operation: "getStatement", summary: "Get a monthly statement",
			description: "Returns every entry of the ledger in a calendar month (UTC), oldest first, with the balance before and after. A statement is " +
				"final: it is available five minutes after the month has ended, and its entries and balances stay the same. The response is signed.",
			response: statementExample, endpoint: handle((*server).getStatement),
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
			method: http.MethodGet, path: "/events", scope: auth.Read,
			limit: "events", perMinute: 120, status: http.StatusOK,
			operation: "listEvents", summary: "List events",
			description: "Returns what happened in the workspace, oldest first: its exports, expired quotes, standing orders and credits, and for tokens of " +
				"owners also budgets, tokens and members. An event is there if and only if what it reports has been committed, and events " +
				"that follow one that you have seen are never inserted before it. Events are kept for 90 days.",
			codes: []fault.Code{fault.Forbidden, fault.InvalidCursor}, response: eventsExample, endpoint: handle((*server).listEvents),
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
			method: http.MethodGet, path: "/exports/{export_id}/events", scope: auth.Read,
			limit: "exports.events", perMinute: 60, status: http.StatusOK,
			operation: "streamExport", summary: "Follow an export",
			description: "Returns server-sent events: export.progress whenever status or processed_records changes, and last export.completed, " +
				"export.failed or export.cancelled. The data of each is the export, as GET /exports/{export_id} returns it, on one line. " +
				"Then the stream ends. It also ends after 10 minutes or when the server restarts: connect again, with the id of the last event as " +
				"Last-Event-ID. If that was the final one, the answer is a 204 without a body.",
			codes: []fault.Code{fault.NotFound}, response: exportEventsExample, endpoint: handle((*server).exportEvents),
		},
		{
			method: http.MethodPost, path: "/exports/{export_id}/download", scope: auth.Read,
			limit: "exports.download", perMinute: 30, status: http.StatusOK,
			operation: "downloadExport", summary: "Get a download link",
			description: "Returns links to the export's file, to its manifest, which describes the file, and to the signature of the manifest. They work for " +
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
			method: http.MethodPost, path: "/exports/{export_id}/deliver", scope: auth.ReadWrite,
			limit: "exports.deliver", perMinute: 30, status: http.StatusOK,
			operation: "deliverExport", summary: "Deliver an export again",
			description: "Delivers a completed export to its destination again, or at once if its next attempt is later. It writes the same " +
				"files and costs nothing.",
			codes: []fault.Code{fault.NotFound, fault.ExportNotCompleted, fault.ExportNotDeliverable}, response: pendingExportDeliveryExample,
			endpoint: once[oneExportInput, ExportDelivery]((*server).deliverExport),
		},
		{
			method: http.MethodGet, path: "/exports/{export_id}/receipt", scope: auth.Read,
			limit: "exports.receipt", perMinute: 30, status: http.StatusOK,
			operation: "getReceipt", summary: "Get an export's receipt",
			description: "Returns the cost of each row of the export's file, in the file's order: charged by this export, or owned " +
				"already, with the export that paid for it and when. The response is signed.",
			codes: []fault.Code{fault.NotFound, fault.InvalidCursor, fault.DailyLimitExceeded}, response: receiptExample, endpoint: handle((*server).getReceipt),
		},
		{
			method: http.MethodGet, path: "/orders", scope: auth.Read,
			limit: "orders.list", perMinute: 60, status: http.StatusOK,
			operation: "listOrders", summary: "List orders", description: "Returns the workspace's standing orders, newest first.",
			codes: []fault.Code{fault.InvalidCursor}, response: ordersExample, endpoint: handle((*server).listOrders),
		},
		{
			method: http.MethodPost, path: "/orders", scope: auth.ReadWrite,
			limit: "orders.create", perMinute: 30, status: http.StatusCreated,
			operation: "createOrder", summary: "Create an order",
			description: "Creates a standing order: an export that is made again and again, on a schedule or after each import, of what is new in a " +
				"search, a list or a set. Nothing is bought now. Each run is an export of its own, with its price, receipt and manifest, bought in the " +
				"name of the token that created or last changed the order. The answer has what the first run would cost now. A workspace can have 100 orders.",
			codes:   []fault.Code{fault.NotFound, fault.IndexUnavailable},
			request: orderRequestExample, response: orderExample, endpoint: once[newOrderInput, Order]((*server).createOrder),
		},
		{
			method: http.MethodGet, path: "/orders/{order_id}", scope: auth.Read,
			limit: "orders.get", perMinute: 60, status: http.StatusOK,
			operation: "getOrder", summary: "Get an order",
			description: "Returns an order, with what its next run would deliver and cost if it took place now. Free.",
			codes:       []fault.Code{fault.NotFound, fault.IndexUnavailable}, response: orderExample, endpoint: handle((*server).getOrder),
		},
		{
			method: http.MethodPatch, path: "/orders/{order_id}", scope: auth.ReadWrite,
			limit: "orders.update", perMinute: 30, status: http.StatusOK,
			operation: "updateOrder", summary: "Change an order",
			description: "Changes the name, the schedule, the limits or the destination of an order. What is missing stays as it is; remove takes away. " +
				"From then on the order buys in the name of this token. What it delivers does not change: create another order for that.",
			codes: []fault.Code{fault.NotFound, fault.IndexUnavailable}, request: orderChangeExample, response: orderExample,
			endpoint: handle((*server).updateOrder),
		},
		{
			method: http.MethodDelete, path: "/orders/{order_id}", scope: auth.ReadWrite,
			limit: "orders.delete", perMinute: 30, status: http.StatusNoContent,
			operation: "deleteOrder", summary: "Delete an order",
			description: "Deletes the order and the list of its runs. The exports that it has made stay.",
			codes:       []fault.Code{fault.NotFound}, endpoint: handle((*server).deleteOrder),
		},
		{
			method: http.MethodPost, path: "/orders/{order_id}/pause", scope: auth.ReadWrite,
			limit: "orders.pause", perMinute: 30, status: http.StatusOK,
			operation: "pauseOrder", summary: "Pause an order",
			description: "Stops the schedule of an order. It can still be run with Run an order now. Pausing it again changes nothing.",
			codes:       []fault.Code{fault.NotFound}, response: pausedOrderExample,
			endpoint: once[oneOrderInput, Order]((*server).pauseOrder),
		},
		{
			method: http.MethodPost, path: "/orders/{order_id}/resume", scope: auth.ReadWrite,
			limit: "orders.resume", perMinute: 30, status: http.StatusOK,
			operation: "resumeOrder", summary: "Resume an order",
			description: "Continues the schedule of a paused order, from now on in the name of this token. Runs are not made up for; what they " +
				"would have delivered is in the next one. Resuming an order that is not paused changes nothing.",
			codes: []fault.Code{fault.NotFound}, response: resumedOrderExample, endpoint: once[oneOrderInput, Order]((*server).resumeOrder),
		},
		{
			method: http.MethodPost, path: "/orders/{order_id}/run", scope: auth.ReadWrite,
			limit: "orders.run", perMinute: 5, status: http.StatusCreated,
			operation: "runOrder", summary: "Run an order now",
			description: "Runs an order at once, beside its schedule, in the name of this token: it delivers what is new, within the limits of the order. " +
				"If there is nothing new, the run has the status nothing_new and no export. An error has bought and changed nothing.",
			codes: []fault.Code{
				fault.NotFound, fault.InsufficientBalance, fault.TokenBudgetExceeded, fault.MaxCreditsExceeded, fault.IndexUnavailable,
			},
			response: runExample, endpoint: once[oneOrderInput, OrderRun]((*server).runOrder),
		},
		{
			method: http.MethodGet, path: "/orders/{order_id}/runs", scope: auth.Read,
			limit: "orders.runs", perMinute: 60, status: http.StatusOK,
			operation: "listRuns", summary: "List an order's runs",
			description: "Returns the runs of an order, newest first, each with its export or with why there is none. Runs without an export are kept for 90 days.",
			codes:       []fault.Code{fault.NotFound, fault.InvalidCursor}, response: runsExample, endpoint: handle((*server).listRuns),
		},
		{
			method: http.MethodGet, path: "/presets", scope: auth.Read,
			limit: "presets.list", perMinute: 60, status: http.StatusOK,
			operation: "listPresets", summary: "List column presets",
			description: "Returns the workspace's column presets, by name.",
			response:    presetsExample, endpoint: handle((*server).listPresets),
		},
		{
			method: http.MethodPost, path: "/presets", scope: auth.ReadWrite,
			limit: "presets.create", perMinute: 30, status: http.StatusCreated,
			operation: "createPreset", summary: "Create a column preset",
			description: "Stores a choice of columns and headers under a name, for preset_id of exports, quotes and orders. A second preset of the same " +
				"name is refused, so a retry creates nothing twice. A workspace can have 50.",
			request: presetRequestExample, response: presetExample, endpoint: handle((*server).createPreset),
		},
		{
			method: http.MethodGet, path: "/presets/{preset_id}", scope: auth.Read,
			limit: "presets.get", perMinute: 60, status: http.StatusOK,
			operation: "getPreset", summary: "Get a column preset", description: "Returns a column preset.",
			codes: []fault.Code{fault.NotFound}, response: presetExample, endpoint: handle((*server).getPreset),
		},
		{
			method: http.MethodPatch, path: "/presets/{preset_id}", scope: auth.ReadWrite,
			limit: "presets.update", perMinute: 30, status: http.StatusOK,
			operation: "updatePreset", summary: "Change a column preset",
			description: "Changes a column preset. What is missing stays as it is. Quotes, exports and orders that were made with it keep their columns.",
			codes:       []fault.Code{fault.NotFound}, request: presetChangeExample, response: presetExample, endpoint: handle((*server).updatePreset),
		},
		{
			method: http.MethodDelete, path: "/presets/{preset_id}", scope: auth.ReadWrite,
			limit: "presets.delete", perMinute: 30, status: http.StatusNoContent,
			operation: "deletePreset", summary: "Delete a column preset",
			description: "Deletes a column preset. Quotes, exports and orders that were made with it keep their columns.",
			codes:       []fault.Code{fault.NotFound}, endpoint: handle((*server).deletePreset),
		},
		{
			method: http.MethodGet, path: "/destinations", scope: auth.Read,
			limit: "destinations.list", perMinute: 60, status: http.StatusOK,
			operation: "listDestinations", summary: "List destinations",
			description: "Returns the workspace's destinations, oldest first, without their secrets.",
			response:    destinationsExample, endpoint: handle((*server).listDestinations),
		},
		{
			method: http.MethodPost, path: "/destinations", scope: auth.ReadWrite,
			limit: "destinations.create", perMinute: 10, status: http.StatusCreated,
			operation: "createDestination", summary: "Create a destination",
			description: "Creates a place to which exports are delivered, after a small file was written there and deleted. Keys that may only write " +
				"suffice. Secrets are encrypted and never returned. Private, loopback, link-local and metadata addresses are refused, and so is a second " +
				"destination of the same name, so a retry creates nothing twice. The token must belong to an owner of the workspace.",
			codes: []fault.Code{fault.Forbidden}, request: destinationRequestExample, response: destinationExample,
			endpoint: handle((*server).createDestination),
		},
		{
			method: http.MethodGet, path: "/destinations/{destination_id}", scope: auth.Read,
			limit: "destinations.get", perMinute: 60, status: http.StatusOK,
			operation: "getDestination", summary: "Get a destination",
			description: "Returns a destination, without its secrets.",
			codes:       []fault.Code{fault.NotFound}, response: destinationExample, endpoint: handle((*server).getDestination),
		},
		{
			method: http.MethodPatch, path: "/destinations/{destination_id}", scope: auth.ReadWrite,
			limit: "destinations.update", perMinute: 10, status: http.StatusOK,
			operation: "updateDestination", summary: "Change a destination",
			description: "Changes a destination, after a small file was written to the changed one and deleted. What is missing stays as it is. The " +
				"secret must be sent again if it would go to another server. The token must belong to an owner of the workspace.",
			codes: []fault.Code{fault.Forbidden, fault.NotFound, fault.RequestInFlight}, request: destinationChangeExample, response: destinationExample,
			endpoint: handle((*server).updateDestination),
		},
		{
			method: http.MethodDelete, path: "/destinations/{destination_id}", scope: auth.ReadWrite,
			limit: "destinations.delete", perMinute: 30, status: http.StatusNoContent,
			operation: "deleteDestination", summary: "Delete a destination",
			description: "Deletes the destination. Exports that are not delivered yet can still be downloaded. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound}, endpoint: handle((*server).deleteDestination),
		},
		{
			method: http.MethodPost, path: "/destinations/{destination_id}/test", scope: auth.ReadWrite,
			limit: "destinations.test", perMinute: 10, status: http.StatusOK,
			operation: "testDestination", summary: "Test a destination",
			description: "Writes a small file to the destination and deletes it. A destination at which nothing can be deleted works, and the answer " +
				"says so. The token must belong to an owner of the workspace.",
			codes: []fault.Code{fault.Forbidden, fault.NotFound}, response: destinationTestExample, endpoint: handle((*server).testDestination),
		},
		{
			method: http.MethodGet, path: "/webhooks", scope: auth.Read,
			limit: "webhooks.list", perMinute: 60, status: http.StatusOK,
			operation: "listWebhooks", summary: "List webhooks",
			description: "Returns the workspace's webhooks, oldest first. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden}, response: webhooksExample,
			endpoint: handle((*server).listWebhooks),
		},
		{
			method: http.MethodPost, path: "/webhooks", scope: auth.ReadWrite,
			limit: "webhooks.create", perMinute: 30, status: http.StatusCreated,
			operation: "createWebhook", summary: "Create a webhook",
			description: "Sends the events of the workspace to an address, signed by the Standard Webhooks specification. The answer has the secret, which cannot be read again. Private, loopback, link-local and metadata addresses are refused, and so is a second webhook of the same address, so a retry creates nothing twice. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden}, request: webhookRequestExample, response: newWebhookExample,
			endpoint: handle((*server).createWebhook),
		},
		{
			method: http.MethodGet, path: "/webhooks/{webhook_id}", scope: auth.Read,
			limit: "webhooks.get", perMinute: 60, status: http.StatusOK,
			operation: "getWebhook", summary: "Get a webhook",
			description: "Returns a webhook, without its secret. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound}, response: webhookExample,
			endpoint: handle((*server).getWebhook),
		},
		{
			method: http.MethodPatch, path: "/webhooks/{webhook_id}", scope: auth.ReadWrite,
			limit: "webhooks.update", perMinute: 30, status: http.StatusOK,
			operation: "updateWebhook", summary: "Change a webhook",
			description: "Changes the address, types or description, or disables or enables the webhook. What is missing stays as it is. Events that happen while it is disabled are not sent later; they are in the event log. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound}, request: webhookChangeExample, response: webhookExample,
			endpoint: handle((*server).updateWebhook),
		},
		{
			method: http.MethodDelete, path: "/webhooks/{webhook_id}", scope: auth.ReadWrite,
			limit: "webhooks.delete", perMinute: 30, status: http.StatusNoContent,
			operation: "deleteWebhook", summary: "Delete a webhook",
			description: "Deletes the webhook with its deliveries. A request that is being sent may still arrive. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound},
			endpoint:    handle((*server).deleteWebhook),
		},
		{
			method: http.MethodPost, path: "/webhooks/{webhook_id}/rotate", scope: auth.ReadWrite,
			limit: "webhooks.rotate", perMinute: 30, status: http.StatusOK,
			operation: "rotateWebhook", summary: "Rotate a webhook's secret",
			description: "Replaces the secret. The answer has the new one, which cannot be read again. For the overlap, requests have a signature of each, so that the receiver can change its secret at any moment. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound}, request: rotateExample, response: newWebhookExample,
			endpoint: handle((*server).rotateWebhook),
		},
		{
			method: http.MethodPost, path: "/webhooks/{webhook_id}/test", scope: auth.ReadWrite,
			limit: "webhooks.test", perMinute: 10, status: http.StatusOK,
			operation: "testWebhook", summary: "Test a webhook",
			description: "Sends a message of the type webhook.test at once and returns what came of it. It is not sent again and is not in the event log. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound}, response: testDeliveryExample,
			endpoint: handle((*server).testWebhook),
		},
		{
			method: http.MethodGet, path: "/webhooks/{webhook_id}/deliveries", scope: auth.Read,
			limit: "webhooks.deliveries", perMinute: 60, status: http.StatusOK,
			operation: "listDeliveries", summary: "List a webhook's deliveries",
			description: "Returns the deliveries of the last 30 days, newest first, each with its last attempt. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound, fault.InvalidCursor}, response: deliveriesExample,
			endpoint: handle((*server).listDeliveries),
		},
		{
			method: http.MethodPost, path: "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", scope: auth.ReadWrite,
			limit: "webhooks.replay", perMinute: 60, status: http.StatusOK,
			operation: "replayDelivery", summary: "Send an event again",
			description: "Sends the event of a delivery again, with the same webhook-id, in a new delivery. The token must belong to an owner of the workspace.",
			codes:       []fault.Code{fault.Forbidden, fault.NotFound}, response: pendingDeliveryExample,
			endpoint: once[replayInput, Delivery]((*server).replayDelivery),
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
func checkLimits(o ratelimit.Overrides, more map[string]ratelimit.Limit) error {
	known := slices.AppendSeq(slices.Collect(maps.Keys(Limits())), maps.Keys(more))
	slices.Sort(known)
	var errs []error
	for _, name := range o.Names() {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("there is no rate limit %q; the rate limits are %s", name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}
