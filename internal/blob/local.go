package blob

import "net/http"

// A Server is a Store whose signed links this program answers itself.
type Server interface {
	Store
	// LinkPattern is the pattern of the links' paths, for http.ServeMux.
	LinkPattern() string
	// Handler answers the links. It calls fail for a request that is refused.
	Handler(fail func(http.ResponseWriter, *http.Request, error)) http.Handler
}

// A Cleaner is a Store in which a writer that is killed leaves something behind.
type Cleaner interface {
	Store
	// ClearUnfinished removes everything unfinished. Nobody else may be writing.
	ClearUnfinished() error
}
