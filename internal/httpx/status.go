package httpx

import (
	"net/http"

	"github.com/opencapi/capi/internal/fault"
)

// Status returns the HTTP status of a kind of fault. Nothing else maps them.
func Status(k fault.Kind) int {
	switch k {
	case fault.KindState:
		return http.StatusBadRequest
	case fault.KindUnauthenticated:
		return http.StatusUnauthorized
	case fault.KindNoCredit:
		return http.StatusPaymentRequired
	case fault.KindForbidden:
		return http.StatusForbidden
	case fault.KindNotFound:
		return http.StatusNotFound
	case fault.KindNotAllowed:
		return http.StatusMethodNotAllowed
	case fault.KindTimeout:
		return http.StatusRequestTimeout
	case fault.KindConflict:
		return http.StatusConflict
	case fault.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.KindUnsupported:
		return http.StatusUnsupportedMediaType
	case fault.KindRange:
		return http.StatusRequestedRangeNotSatisfiable
	case fault.KindInvalid:
		return http.StatusUnprocessableEntity
	case fault.KindRateLimited:
		return http.StatusTooManyRequests
	case fault.KindUnavailable:
		return http.StatusServiceUnavailable
	case fault.KindInternal:
	}
	return http.StatusInternalServerError
}
