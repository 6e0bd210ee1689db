package client

// ErrorCode is the machine-readable name of an error, as in the table of errors of the documentation.
type ErrorCode string

// The codes that the API answers with. A newer server may have more.
const (
	CodeMissingAuthHeader      ErrorCode = "MISSING_AUTH_HEADER"
	CodeInvalidTokenFormat     ErrorCode = "INVALID_TOKEN_FORMAT"
	CodeInvalidToken           ErrorCode = "INVALID_TOKEN"
	CodeTokenExpired           ErrorCode = "TOKEN_EXPIRED"
	CodeTokenNotWorkspaceBound ErrorCode = "TOKEN_NOT_WORKSPACE_BOUND"
	CodeNotWorkspaceMember     ErrorCode = "NOT_WORKSPACE_MEMBER"
	CodeInsufficientScope      ErrorCode = "INSUFFICIENT_SCOPE"
	CodeForbidden              ErrorCode = "FORBIDDEN"
	CodeInsufficientBalance    ErrorCode = "insufficient_balance"
	CodeTokenBudgetExceeded    ErrorCode = "TOKEN_BUDGET_EXCEEDED"
	CodeMaxCreditsExceeded     ErrorCode = "MAX_CREDITS_EXCEEDED"
	CodeQuoteExpired           ErrorCode = "QUOTE_EXPIRED"
	CodeQuoteOutdated          ErrorCode = "QUOTE_OUTDATED"
	CodeNoCandidates           ErrorCode = "no_candidates"
	CodeNotFound               ErrorCode = "NOT_FOUND"
	CodeExportNotCompleted     ErrorCode = "EXPORT_NOT_COMPLETED"
	CodeExportNotCancellable   ErrorCode = "EXPORT_NOT_CANCELLABLE"
	CodeExportNotDeliverable   ErrorCode = "EXPORT_NOT_DELIVERABLE"
	CodeValidation             ErrorCode = "VALIDATION_ERROR"
	CodeInvalidCursor          ErrorCode = "INVALID_CURSOR"
	CodeInvalidLink            ErrorCode = "INVALID_LINK"
	CodeRateLimited            ErrorCode = "RATE_LIMITED"
	CodeDailyLimitExceeded     ErrorCode = "DAILY_LIMIT_EXCEEDED"
	CodeIdempotencyKeyReused   ErrorCode = "IDEMPOTENCY_KEY_REUSED"
	CodeRequestInFlight        ErrorCode = "REQUEST_IN_FLIGHT"
	CodeMethodNotAllowed       ErrorCode = "METHOD_NOT_ALLOWED"
	CodeRequestTimeout         ErrorCode = "REQUEST_TIMEOUT"
	CodeRangeNotSatisfiable    ErrorCode = "RANGE_NOT_SATISFIABLE"
	CodePayloadTooLarge        ErrorCode = "PAYLOAD_TOO_LARGE"
	CodeUnsupportedMediaType   ErrorCode = "UNSUPPORTED_MEDIA_TYPE"
	CodeIndexUnavailable       ErrorCode = "INDEX_UNAVAILABLE"
	CodeServiceUnavailable     ErrorCode = "SERVICE_UNAVAILABLE"
	CodeInternal               ErrorCode = "INTERNAL"
)

// ExportStatus is the state of an export.
type ExportStatus string

// The statuses of an export. The last three are final.
const (
	ExportPending    ExportStatus = "pending"
	ExportProcessing ExportStatus = "processing"
	ExportCompleted  ExportStatus = "completed"
	ExportFailed     ExportStatus = "failed"
	ExportCancelled  ExportStatus = "cancelled"
)

// Final reports whether an export of this status will not change again.
func (s ExportStatus) Final() bool { return s != ExportPending && s != ExportProcessing }
