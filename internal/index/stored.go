package index

import (
	"context"
	"io"
	"time"
)

// A Stored is an Index that keeps its content in a directory, and can be described, verified and rebuilt there.
type Stored interface {
	Index

	// Attach loads the index from the directory and keeps it there from now on. It must be called before the first Apply,
	// and no other process may use the directory.
	Attach(ctx context.Context, dir string, source Source) error

	// Seed fetches the shared index into a directory without one, and reports whether it did. It must be called before Attach. If
	// the shared index cannot be used, that is logged, and Attach begins with an empty one.
	Seed(ctx context.Context, dir string, source Source, shared Shared) (bool, error)

	// Publish replaces the shared index by this one, at most once every time of this length.
	Publish(ctx context.Context, shared Shared, every time.Duration) error

	// MergeAll merges the index into as few segments as possible.
	MergeAll()

	// Stats returns the stats of the running index.
	Stats() RuntimeStats

	// Inspect describes the index in a directory, which a server may be using, and returns the damage that it sees without
	// reading everything. The error is os.ErrNotExist if there is no index.
	Inspect(dir string) (Stats, []Damage, error)

	// Verify is like Inspect, but reads all bytes.
	Verify(ctx context.Context, dir string) (Stats, []Damage, error)

	// Remove deletes the index in a directory, which must not be in use.
	Remove(dir string) error
}

// Source is the catalog that an index is derived from. An index and its catalog are restored from backups separately. So
// each save stores a checkpoint in the catalog's database, and the index is only trusted by a catalog that has its
// checkpoint.
type Source interface {
	// Origin returns a name that is unique to the catalog, and its newest sequence number.
	Origin(ctx context.Context) (origin string, seq uint64, err error)
	// SaveCheckpoint durably records that the index contains the catalog up to seq, under a new checkpoint. Of the index's
	// older checkpoints it keeps only the one named keep. If keep is not empty and does not exist, the catalog was restored
	// from a backup and the call fails.
	SaveCheckpoint(ctx context.Context, index, mark, keep string, seq uint64) error
	// HasCheckpoint reports whether the catalog has the index's checkpoint.
	HasCheckpoint(ctx context.Context, index, mark string) (bool, error)
}

// Shared are files that the servers of one catalog have in common. Names are as keys of a blob.Store.
type Shared interface {
	// Put stores what fn writes, whole or not at all. It may call fn again after an error.
	Put(ctx context.Context, name string, fn func(io.Writer) error) error
	// Open opens a file. fs.ErrNotExist if it does not exist.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Delete deletes a file, if it exists.
	Delete(ctx context.Context, name string) error
}

// RuntimeStats describe a running index.
type RuntimeStats struct {
	Companies        int
	Segments         int
	SegmentsInMemory int    // segments that are not on disk yet
	Merges           uint64 // since Open
	Merging          bool   // a merge is running now
	Lost             bool   // companies are missing because a segment was damaged; they are being indexed again
}

// Stats describes the index in a directory.
type Stats struct {
	Version   int            `json:"version"`
	Seq       uint64         `json:"seq"`  // the index contains the catalog's changes up to this sequence number
	Lost      bool           `json:"lost"` // companies are missing until the next server has indexed them again
	Companies int            `json:"companies"`
	Deleted   int            `json:"dead"` // outdated states of companies that are still stored
	Bytes     int64          `json:"bytes"`
	Segments  []SegmentStats `json:"segments"`
	Sections  []SectionStats `json:"sections"` // totals over all segments
}

// SegmentStats describes a segment.
type SegmentStats struct {
	Name      string `json:"name"`
	Companies int    `json:"companies"`
	Deleted   int    `json:"dead"`
	Bytes     int64  `json:"bytes"`
}

// SectionStats describes a kind of section.
type SectionStats struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Damage is a damaged part of an index in a directory.
type Damage struct {
	Segment string // the file's name
	Section string
	Problem string
}
