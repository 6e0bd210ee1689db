package blob

import (
	"context"
	"net/http"
)

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

// A Remote is a Store on another machine.
type Remote interface {
	Store
	// Check returns an error that says what to correct if the store cannot be used. It stores nothing.
	Check(ctx context.Context) error
	// Prune deletes what writers that crashed have left, and nothing that may still be written.
	Prune(ctx context.Context) error
}
