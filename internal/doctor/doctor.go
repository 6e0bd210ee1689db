// Package doctor runs every audit: of the database, of the files, and of the indexes of running servers. It has no rules of
// its own; each package audits what it stores.
package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/unlock"
)

// Deps are what a Doctor audits.
type Deps struct {
	Credits *credit.Store
	Unlocks *unlock.Store
	Exports *export.Exports
	Jobs    *job.Queue
	Orders  *order.Orders

	Deliveries *delivery.Deliveries

	Servers string // the directory in which running servers register themselves
}

// Doctor runs the audits. Safe for concurrent use.
type Doctor struct{ audits []registered }

// registered is an audit with what it proves.
type registered struct {
	area, proves string
	run          run
}

// run returns what an audit found; skippedError if there was nothing to look at. It may call progress, if it takes long.
type run func(ctx context.Context, progress func(done, total int)) ([]audit.Finding, error)

// skippedError says why an audit had nothing to look at.
type skippedError string

func (e skippedError) Error() string { return string(e) }

// New returns a Doctor with all audits.
func New(d Deps) *Doctor {
	return &Doctor{[]registered{
		{"ledger", "every balance is the sum of its entries", all(d.Credits.Audit)},
		{"unlocks", "no company was unlocked twice", all(d.Unlocks.Audit)},
		{"exports", "every charge equals its unlocks minus refunds", all(d.Exports.AuditBooks)},
		{"files", "every completed export has its file and manifest, with the right hash and rows", d.Exports.AuditFiles},
		{"jobs", "every unfinished job is queued or running", all(d.Jobs.Audit, d.Exports.AuditJobs)},
		{"orders", "every run of a standing order has its export, and none is overdue", all(d.Orders.Audit)},
		{"deliveries", "no delivery of a completed export is forgotten", all(d.Deliveries.Audit)},
		{"index", "the running servers find what the catalog holds", registry(d.Servers).audit},
	}}
}

// all runs audits that take no time to speak of, one after the other.
func all(audits ...func(context.Context) ([]audit.Finding, error)) run {
	return func(ctx context.Context, _ func(done, total int)) (findings []audit.Finding, err error) {
		for _, audit := range audits {
			found, err := audit(ctx)
			if err != nil {
				return nil, err
			}
			findings = append(findings, found...)
		}
		return findings, nil
	}
}

// Check is the outcome of one audit.
type Check struct {
	Area     string          `json:"area"`
	Proves   string          `json:"proves"`
	Skipped  string          `json:"skipped,omitempty"` // why there was nothing to look at; empty if there was
	Findings []audit.Finding `json:"findings"`          // never nil
}

// Run proves that the stores agree with each other, the files with the stores, and the index of each running server with
// the catalog. It calls report with each check as it ends. An audit that cannot be completed, because what it reads is
// damaged, is a finding. Run only reads, and each audit reads one state of the database at a time, so its findings are right
// while servers run. It holds in memory one workspace's unlocks, a few thousand companies, or a part of a file, and what it
// found. progress, which may be nil, is called during audits that take long.
func (d *Doctor) Run(ctx context.Context, progress func(area string, done, total int), report func(Check)) error {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	for _, a := range d.audits {
		found, err := a.run(ctx, func(done, total int) { progress(a.area, done, total) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c := Check{Area: a.area, Proves: a.proves, Findings: []audit.Finding{}}
		var skipped skippedError
		if errors.As(err, &skipped) {
			c.Skipped = string(skipped)
		} else if err != nil {
			found = append(found, audit.Finding{Subject: "check", Problem: fmt.Sprintf("it cannot be completed: %v", err)})
		}
		for _, f := range found {
			f.Area = a.area
			c.Findings = append(c.Findings, f)
		}
		report(c)
	}
	return nil
}
