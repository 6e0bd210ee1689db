package app

import (
	"context"
	"fmt"

	"github.com/opencapi/capi/internal/audit"
)

// Check is one thing that Examine proves.
type Check struct {
	Area     string          `json:"area"`
	Proves   string          `json:"proves"`
	Skipped  string          `json:"skipped,omitempty"` // why it could not be looked at; empty if it was
	Findings []audit.Finding `json:"findings"`          // never nil
}

// examination is how a check is run: find what cannot be, or say why nothing could be looked at.
type examination func(ctx context.Context, a *App, c *checking) (skipped string, err error)

// checking is a check on its way.
type checking struct {
	Check
	progress func(done, total int)
}

func (c *checking) add(found ...audit.Finding) {
	for _, f := range found {
		f.Area = c.Area
		c.Findings = append(c.Findings, f)
	}
}

var examinations = []struct {
	area, proves string
	run          examination
}{
	{"ledger", "every balance is the sum of its entries", examineLedger},
	{"unlocks", "no company was unlocked twice", examineUnlocks},
	{"exports", "every charge is the unlocks that it made, less what was given back", examineExports},
	{"files", "every completed export has its file and manifest, with the right hash and rows", examineFiles},
	{"jobs", "no work lies about", examineJobs},
	{"index", "the running servers find what the catalog holds", examineIndex},
}

// Examine proves that the books agree with each other, the files with the books, and the index of each running server
// with the catalog. It hands each check to report as it ends; one that cannot be completed, because what it reads is
// damaged, is a finding. It only reads, each check one state of the database at a time, so it is right beside running
// servers; it holds in memory one workspace's unlocks, or a few thousand companies, or a piece of a file, and what it
// found. progress, if it is not nil, is told how far a check is that takes long.
func (a *App) Examine(ctx context.Context, progress func(area string, done, total int), report func(Check)) error {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	for _, e := range examinations {
		c := &checking{
			Check:    Check{Area: e.area, Proves: e.proves, Findings: []audit.Finding{}},
			progress: func(done, total int) { progress(e.area, done, total) },
		}
		var err error
		c.Skipped, err = e.run(ctx, a, c)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.add(audit.Finding{Subject: "check", Problem: fmt.Sprintf("it cannot be completed: %v", err)})
		}
		report(c.Check)
	}
	return nil
}

func examineLedger(ctx context.Context, a *App, c *checking) (string, error) {
	found, err := a.Credits.Audit(ctx)
	c.add(found...)
	return "", err
}

func examineUnlocks(ctx context.Context, a *App, c *checking) (string, error) {
	found, err := a.Unlocks.Audit(ctx)
	c.add(found...)
	return "", err
}

func examineExports(ctx context.Context, a *App, c *checking) (string, error) {
	found, err := a.Exports.AuditBooks(ctx)
	c.add(found...)
	return "", err
}

func examineFiles(ctx context.Context, a *App, c *checking) (string, error) {
	found, err := a.Exports.AuditFiles(ctx, c.progress)
	c.add(found...)
	return "", err
}

func examineJobs(ctx context.Context, a *App, c *checking) (string, error) {
	for _, audit := range []func(context.Context) ([]audit.Finding, error){a.Jobs.Audit, a.Exports.AuditJobs} {
		found, err := audit(ctx)
		if err != nil {
			return "", err
		}
		c.add(found...)
	}
	return "", nil
}

// examineIndex asks the running servers: an index lives in its server, which alone has what it answers by.
func examineIndex(ctx context.Context, a *App, c *checking) (string, error) {
	servers, err := a.servers()
	if err != nil {
		return "", err
	}
	asked, elsewhere := 0, 0
	for _, s := range servers {
		if !s.here() {
			elsewhere++
			continue
		}
		found, err := s.auditIndex(ctx, c.progress)
		if isGone(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("ask server %s: %w", s, err)
		}
		asked++
		for _, f := range found {
			f.Subject = fmt.Sprintf("%s of server %s", f.Subject, s)
			c.add(f)
		}
	}
	switch {
	case asked > 0:
		return "", nil
	case elsewhere > 0:
		return fmt.Sprintf("no server runs on this machine, %d on others; run it there too", elsewhere), nil
	}
	return "no server runs; each builds its index from the catalog when it starts", nil
}
