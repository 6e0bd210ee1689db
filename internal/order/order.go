// Package order keeps standing orders: what a workspace wants to have exported again and again. It decides when an order runs and what
// is new to it. What a run costs, and whether it may, is decided by the package export: each run is an export like any other.
//
// A run is one transaction: the export with its charge, the run's record and the order's next run are all there, or nothing is. Its
// record has the scheduled instant as a unique key, and the order's row is locked and compared with what was planned, so that a run is
// bought once, whatever crashes and however many servers there are.
package order

import (
	"time"

	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
)

// Deliver is what an order delivers of its source.
type Deliver string

// What can be delivered, by its names in the API.
const (
	Added   Deliver = "added"   // what the order has not delivered yet
	Changed Deliver = "changed" // that, and what has changed since it was delivered
	Left    Deliver = "left"    // what the workspace owns that was in the source at the previous run and no longer is
	All     Deliver = "all"     // everything
)

// Missed is what happens to runs that no server was there for.
type Missed string

// The choices, by their names in the API.
const (
	CatchUp Missed = "catch_up" // one run for all of them
	Skip    Missed = "skip"     // none; the next one is the next that is scheduled
)

// AboveCap is what happens to a run that costs more than it may.
type AboveCap string

// The choices, by their names in the API.
const (
	SkipRun AboveCap = "skip" // it buys nothing
	Fill    AboveCap = "fill" // it buys as many companies as it may
)

// State is what an order does.
type State string

// The states, by their names in the API.
const (
	Active State = "active"
	Paused State = "paused"
	Ended  State = "ended" // no run is scheduled any more
)

// Order is a standing order.
type Order struct {
	ID        id.Order
	Workspace id.Workspace
	Token     id.Token  // in whose name it buys; zero if a person does
	Person    id.Person // in whose name it buys; zero if a token does
	Name      string
	Deliver   Deliver

	// Request is what each run exports. Its Terms have no limits of the cost. Its Query is only set when an order is created.
	Request export.Request

	Schedule        Schedule
	Missed          Missed
	AboveCap        AboveCap
	MaxCredits      *int64     // of one run; nil for no limit
	MaxCreditsTotal *int64     // of all runs, less what was refunded; nil for no limit
	EndsAt          *time.Time // no run is scheduled then or later; nil for never
	CreatedAt       time.Time

	NextAt     *time.Time // the next run of the schedule; nil if there is none, and for an order that runs after imports
	PausedAt   *time.Time
	AskedAt    *time.Time // when a run was asked for that has not been made yet; nil for none
	PausedWhy  string     // for people to read
	DelayedWhy string     // why a run that is due has not succeeded yet, for people to read; else empty
	Spent      int64      // credits charged by all runs, less what was refunded

	// Next is what the next run would do now. Only Create and Preview set it.
	Next *Next

	revision int64
	imports  int64 // how many imports had ended when it last ran after one
}

// Next is what the next run of an order would do if it took place now.
type Next struct {
	Preview export.Preview
	Status  Status // Exported, NothingNew or Skipped
	Code    string // as in Run
	Message string
}

// StateAt returns what the order does at the time.
func (o Order) StateAt(now time.Time) State {
	switch {
	case o.PausedAt != nil:
		return Paused
	case o.EndsAt != nil && !now.Before(*o.EndsAt), o.NextAt == nil && !o.Schedule.AfterImport():
		return Ended
	}
	return Active
}

// Cause is why a run took place.
type Cause string

// The causes, by their names in the API.
const (
	OnCreation Cause = "creation" // the baseline
	OnSchedule Cause = "schedule"
	OnImport   Cause = "import"
	OnRequest  Cause = "request"
)

// Status is the outcome of a run.
type Status string

// The outcomes, by their names in the API.
const (
	Baseline   Status = "baseline"    // it remembers what is in the source, and delivers nothing
	Exported   Status = "exported"    // it has an export
	NothingNew Status = "nothing_new" // there was nothing to deliver
	Skipped    Status = "skipped"     // it could not buy what there was, or was not to
)

// Run is a run of an order.
type Run struct {
	ID          id.Run
	Order       id.Order
	ScheduledAt time.Time
	CreatedAt   time.Time
	Cause       Cause
	Status      Status
	Missed      int    // earlier scheduled instants that had no run
	Code        string // why it exported nothing, as an error code; empty if it exported
	Message     string // likewise, for people to read

	Export id.Export // zero unless Exported
	// Of the export, as it is now.
	ExportStatus export.Status
	Companies    int
	Charged      int64
	Refunded     int64
}
