package httpx

import (
	"net/http"

	"github.com/opencapi/capi/internal/fault"
)

// Authorization returns the Authorization header of the request; empty if it has none. Several are refused: a proxy and this server could
// each use another one.
func Authorization(r *http.Request) (string, error) {
	switch given := r.Header.Values("Authorization"); len(given) {
	case 0:
		return "", nil
	case 1:
		return given[0], nil
	default:
		return "", fault.New(fault.InvalidTokenFormat,
			"The request has %d Authorization headers; send one: Authorization: Bearer cornect_…", len(given))
	}
}
