package s3

import (
	"context"
	"time"
)

// PruneBefore deletes the unfinished uploads that were begun before a time.
func PruneBefore(ctx context.Context, s *Store, before time.Time) error { return s.prune(ctx, before) }
