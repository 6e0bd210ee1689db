package fault

// Code is the machine-readable name of a failure; the contract fixes each one's spelling.
type Code string

// The codes of the contract.
const (
	MissingAuthHeader      Code = "MISSING_AUTH_HEADER"
	InvalidTokenFormat     Code = "INVALID_TOKEN_FORMAT"
	InvalidToken           Code = "INVALID_TOKEN"
	TokenExpired           Code = "TOKEN_EXPIRED"
	TokenNotWorkspaceBound Code = "TOKEN_NOT_WORKSPACE_BOUND"
	NotWorkspaceMember     Code = "NOT_WORKSPACE_MEMBER"
	InsufficientScope      Code = "INSUFFICIENT_SCOPE"
	SignInNeeded           Code = "SIGN_IN_NEEDED"
	Forbidden              Code = "FORBIDDEN"
	InsufficientBalance    Code = "insufficient_balance"
	TokenBudgetExceeded    Code = "TOKEN_BUDGET_EXCEEDED"
	MaxCreditsExceeded     Code = "MAX_CREDITS_EXCEEDED"
	QuoteExpired           Code = "QUOTE_EXPIRED"
	QuoteOutdated          Code = "QUOTE_OUTDATED"
	NoCandidates           Code = "no_candidates"
	NotFound               Code = "NOT_FOUND"
	ExportNotCompleted     Code = "EXPORT_NOT_COMPLETED"
	ExportNotCancellable   Code = "EXPORT_NOT_CANCELLABLE"
	ExportNotDeliverable   Code = "EXPORT_NOT_DELIVERABLE"
	Validation             Code = "VALIDATION_ERROR"
	InvalidCursor          Code = "INVALID_CURSOR"
	InvalidLink            Code = "INVALID_LINK"
	RateLimited            Code = "RATE_LIMITED"
	DailyLimitExceeded     Code = "DAILY_LIMIT_EXCEEDED"
	IdempotencyKeyReused   Code = "IDEMPOTENCY_KEY_REUSED"
	RequestInFlight        Code = "REQUEST_IN_FLIGHT"
	MethodNotAllowed       Code = "METHOD_NOT_ALLOWED"
	RequestTimeout         Code = "REQUEST_TIMEOUT"
	RangeNotSatisfiable    Code = "RANGE_NOT_SATISFIABLE"
	PayloadTooLarge        Code = "PAYLOAD_TOO_LARGE"
	UnsupportedMediaType   Code = "UNSUPPORTED_MEDIA_TYPE"
	IndexUnavailable       Code = "INDEX_UNAVAILABLE"
	ServiceUnavailable     Code = "SERVICE_UNAVAILABLE"
	Internal               Code = "INTERNAL"
)

// Entry describes one code for people.
type Entry struct {
	Code Code
	Kind Kind
	When string
}

// Catalogue lists every code in the order of the contract's table.
func Catalogue() []Entry {
	return []Entry{
		{MissingAuthHeader, KindUnauthenticated, "The request has no Authorization header."},
		{InvalidTokenFormat, KindUnauthenticated, "The Authorization header holds no cornect_ bearer token."},
		{InvalidToken, KindUnauthenticated, "The token is not known, mistyped or revoked."},
		{TokenExpired, KindUnauthenticated, "The token is past its expiry."},
		{TokenNotWorkspaceBound, KindUnauthenticated, "The token is a legacy one without a workspace."},
		{NotWorkspaceMember, KindUnauthenticated, "The token's owner has left the workspace."},
		{InsufficientScope, KindForbidden, "The token's scope does not include what the endpoint needs."},
		{SignInNeeded, KindUnauthenticated, "Console only: nobody is signed in, or the session has ended."},
		{Forbidden, KindForbidden, "The person, or the owner of the token, has no role that allows it; in the console also: another site sent the form."},
		{InsufficientBalance, KindNoCredit, "The balance does not cover the new companies."},
		{TokenBudgetExceeded, KindNoCredit, "The new companies cost more than the token, or the member who buys or who created the token, may still spend."},
		{MaxCreditsExceeded, KindNoCredit, "The new companies cost more than max_credits."},
		{QuoteExpired, KindState, "The quote is older than 15 minutes; ask for another."},
		{QuoteOutdated, KindConflict, "The quote's companies cost more than was quoted, after a refund, or were removed; ask for another."},
		{NoCandidates, KindState, "No company matches the export's criteria."},
		{NotFound, KindNotFound, "There is no such resource in this workspace."},
		{ExportNotCompleted, KindState, "The export is not completed, so there is no file yet."},
		{ExportNotCancellable, KindConflict, "The export has completed or failed, so there is nothing left to cancel."},
		{ExportNotDeliverable, KindConflict, "The export has no destination, its destination was deleted, or it is being delivered at this moment."},
		{Validation, KindInvalid, "The body or a parameter is not valid; details.errors lists every fault."},
		{InvalidCursor, KindInvalid, "The cursor is unreadable, or belongs to another query."},
		{InvalidLink, KindForbidden, "The link was changed, was used, or has expired."},
		{RateLimited, KindRateLimited, "Too many requests; wait for the seconds in Retry-After."},
		{
			DailyLimitExceeded, KindRateLimited,
			"The answer shows more companies that the workspace does not own than the token or the workspace may see in a day; details.resets_at says when the day ends.",
		},
		{IdempotencyKeyReused, KindInvalid, "The Idempotency-Key was used with another body."},
		{RequestInFlight, KindConflict, "An identical request is still being answered."},
		{MethodNotAllowed, KindNotAllowed, "The path exists, but not with this method."},
		{RequestTimeout, KindTimeout, "The body did not arrive in time."},
		{PayloadTooLarge, KindTooLarge, "The body is over 1 MiB, or 4 MiB where rows are matched."},
		{UnsupportedMediaType, KindUnsupported, "The body is not application/json."},
		{RangeNotSatisfiable, KindRange, "The Range header asks for bytes that the file does not have."},
		{IndexUnavailable, KindUnavailable, "A part of the search index is being rebuilt; wait for the seconds in Retry-After."},
		{
			ServiceUnavailable, KindUnavailable,
			"The database cannot be reached, its disk is full, or the server is too busy; wait for the seconds in Retry-After, then send the same request again, " +
				"with the same Idempotency-Key.",
		},
		{Internal, KindInternal, "Something failed on our side; quote the request id."},
	}
}

var kinds = func() map[Code]Kind {
	m := map[Code]Kind{}
	for _, e := range Catalogue() {
		m[e.Code] = e.Kind
	}
	return m
}()

// Kind returns the kind of the code; an unknown code is internal.
func (c Code) Kind() Kind { return kinds[c] }
