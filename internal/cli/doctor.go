package cli

import (
	"context"

	"github.com/opencapi/capi/internal/app"
)

type doctorCommand struct{ jsonFlag }

// Help is shown below the summary.
func (doctorCommand) Help() string {
	return `It only reads, and works beside a running server. The exit status is 1 if it finds anything.`
}

type finding struct {
	Area    string `json:"area"`
	Subject string `json:"subject"`
	Problem string `json:"problem"`
}

type check struct {
	area, proves string
	run          func(ctx context.Context, a *app.App) ([]finding, error)
}

var checks = []check{
	{"ledger", "every balance is the sum of its entries", func(ctx context.Context, a *app.App) ([]finding, error) {
		found, err := a.Credits.Audit(ctx)
		var all []finding
		for _, f := range found {
			all = append(all, finding{"ledger", "workspace " + f.Workspace.String(), f.Problem})
		}
		return all, err
	}},
	{"unlocks", "every company was charged for once", func(ctx context.Context, a *app.App) ([]finding, error) {
		found, err := a.Unlocks.Audit(ctx)
		var all []finding
		for _, f := range found {
			all = append(all, finding{"unlocks", "workspace " + f.Workspace.String(), f.Problem})
		}
		return all, err
	}},
	{"exports", "every file holds the rows that were paid for", func(ctx context.Context, a *app.App) ([]finding, error) {
		found, err := a.Exports.Audit(ctx)
		var all []finding
		for _, f := range found {
			all = append(all, finding{"exports", "export " + f.Export.String(), f.Problem})
		}
		return all, err
	}},
	{"jobs", "no work lies about", func(ctx context.Context, a *app.App) ([]finding, error) {
		found, err := a.Jobs.Audit(ctx)
		var all []finding
		for _, f := range found {
			all = append(all, finding{"jobs", "job " + f.Job.String(), f.Kind + ": " + f.Problem})
		}
		return all, err
	}},
}

// Run runs every check and prints what it found.
func (c *doctorCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	all := []finding{}
	for _, k := range checks {
		found, err := k.run(s.ctx, a)
		if err != nil {
			return err
		}
		all = append(all, found...)
		if !c.JSON {
			s.printCheck(k, found)
		}
	}
	if c.JSON {
		if err := s.printJSON(map[string]any{"ok": len(all) == 0, "findings": all}); err != nil {
			return err
		}
	}
	if len(all) > 0 {
		return errFindings
	}
	return nil
}

func (s *session) printCheck(k check, found []finding) {
	if len(found) == 0 {
		s.printf("ok    %-8s  %s\n", k.area, k.proves)
		return
	}
	s.printf("FAIL  %-8s  %s:\n", k.area, plural(len(found), "finding", "findings"))
	for _, f := range found {
		s.printf("      %s: %s\n", f.Subject, f.Problem)
	}
}
