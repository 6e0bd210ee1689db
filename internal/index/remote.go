package index

import "context"

// A Remote is an Index that another program keeps, for all of our servers. One server at a time calls Apply.
type Remote interface {
	Index

	// Check returns nil if searches are answered now, and otherwise a fault.IndexUnavailable that says why not.
	Check(ctx context.Context) error

	// Rebuild calls fill with a new, empty index, and when fill returns nil puts it in the place of this one in one step, for all
	// servers. Searches use the old one until then. After an error the new index is deleted.
	Rebuild(ctx context.Context, fill func(ctx context.Context, fresh Index) error) error

	// Describe returns the stats of the index.
	Describe(ctx context.Context) (RemoteStats, error)
}

// RemoteStats describes a Remote.
type RemoteStats struct {
	Name      string   `json:"name"`
	Index     string   `json:"index"`  // what has this name now; empty if there is no index yet
	Others    []string `json:"others"` // indexes that a rebuild has replaced, or not finished
	Seq       uint64   `json:"seq"`    // the index contains the catalog's changes up to this sequence number
	Companies int      `json:"companies"`
	Bytes     int64    `json:"bytes"`     // without copies
	Shards    int      `json:"shards"`    // parts of the index
	Replicas  int      `json:"replicas"`  // copies of each part
	Health    string   `json:"health"`    // green, yellow or red
	Snapshots int      `json:"snapshots"` // states that this server keeps for cursors
	Server    string   `json:"server"`    // the version of the program that keeps the index
}
