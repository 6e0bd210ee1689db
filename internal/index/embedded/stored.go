package embedded

import (
	"context"

	"github.com/opencapi/capi/internal/index"
)

// The types of index.Stored, which Index implements.
type (
	Source       = index.Source
	RuntimeStats = index.RuntimeStats
	Stats        = index.Stats
	SegmentStats = index.SegmentStats
	SectionStats = index.SectionStats
)

var _ index.Stored = (*Index)(nil)

// Inspect is the function Inspect.
func (*Index) Inspect(dir string) (Stats, []index.Damage, error) {
	stats, found, err := Inspect(dir)
	return stats, damages(found), err
}

// Verify is the function Verify.
func (*Index) Verify(ctx context.Context, dir string) (Stats, []index.Damage, error) {
	stats, found, err := Verify(ctx, dir)
	return stats, damages(found), err
}

// Remove is the function Remove.
func (*Index) Remove(dir string) error { return Remove(dir) }

func damages(found []DamageError) []index.Damage {
	all := make([]index.Damage, len(found))
	for i, d := range found {
		all[i] = index.Damage(d)
	}
	return all
}
