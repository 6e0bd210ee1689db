package embedded

import (
	"context"

	"github.com/opencapi/capi/internal/index"
)

// Index implements index.Stored with these types.
type (
	// Source is index.Source.
	Source = index.Source
	// RuntimeStats is index.RuntimeStats.
	RuntimeStats = index.RuntimeStats
	// Stats is index.Stats.
	Stats = index.Stats
	// SegmentStats is index.SegmentStats.
	SegmentStats = index.SegmentStats
	// SectionStats is index.SectionStats.
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
