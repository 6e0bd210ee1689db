package view

import (
	"time"

	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/upload"
	"github.com/opencapi/capi/internal/workspace"
)

// SystemStats describe what is running, and how much data there is.
type SystemStats struct {
	Version, Database string
	Index             string // where the index is
	Companies         int    // in the catalog
	CatalogSeq        uint64
	Indexed           int // companies in the index
	IndexSeq          uint64
	Jobs              []JobStats
}

// JobStats count the jobs of one kind in one state.
type JobStats struct {
	Kind, State string
	Count       int
	Oldest      time.Time
}

// Import is what an import did.
type Import struct {
	Number     int64
	Files      []string
	StartedAt  time.Time
	FinishedAt *time.Time // nil while it runs, and after it broke off
	UndoneAt   *time.Time
	Counts     []ImportCount
}

// ImportCount is a count of an import, by its name for people.
type ImportCount struct {
	Name  string
	Count int64
}

// Operator is the first page for operators.
type Operator struct {
	Stats      *SystemStats // nil if they are not known
	Workspaces []WorkspaceRow
	Faults     map[string]string
	Open       id.Workspace // the workspace whose form is open
	Given      GrantForm    // what was filled in there
}

// GrantForm is the form that grants credits, as it was filled in.
type GrantForm struct{ Amount, Reason, Note string }

// GrantPath returns the address of the form that grants credits to the workspace.
func GrantPath(ws id.Workspace) string {
	return BasePath + "/operator?grant=" + ws.String() + "#" + ws.String()
}

// WorkspaceRow is a workspace with its balance, and the key that makes its form take effect only once.
type WorkspaceRow struct {
	workspace.Workspace
	Balance int64
	Key     string
}

// Imports is a page of imports.
type Imports struct {
	Imports []Import
	Kept    bool // whether the server can list imports
	Upload  bool // whether files can be uploaded
	Uploads []upload.Upload
	Next    string
	Later   bool
}

// Doctor shows the result of the doctor's checks.
type Doctor struct {
	Possible bool
	Running  bool
	Ended    bool // a run has ended; Checks is its result
	Failed   bool // it did not come to its end
	Checks   []doctor.Check
	Took     time.Duration
	Found    int // number of findings

	// What the running audit has done so far. Area is empty if it has not said.
	Area        string
	Done, Total int
}

// findingsShown is the most findings of a check that the page shows.
const findingsShown = 50
