package opensearch

import (
	"context"
	"errors"

	"github.com/opencapi/capi/internal/index"
)

var _ index.Remote = (*Index)(nil)

// Describe implements index.Remote.
func (ix *Index) Describe(ctx context.Context) (index.RemoteStats, error) {
	s, err := ix.Stats(ctx)
	return index.RemoteStats(s), err
}

// RefusedStatus returns the HTTP status with which the cluster refused a request; 0 for any other error.
func RefusedStatus(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

// IsReplaceable reports whether Open refused an index that Rebuild replaces if Options.Replace is set.
func IsReplaceable(err error) bool { return errors.Is(err, ErrForeign) && !errors.Is(err, errNotOurs) }
