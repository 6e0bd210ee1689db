package cli

import (
	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/doctor"
)

type doctorCommand struct{ jsonFlag }

// Help is shown below the summary.
func (doctorCommand) Help() string {
	return `It checks that every balance is the sum of its entries, that every charge equals its unlocks minus refunds, that
every completed export has an intact file and manifest, that every unfinished job is queued or running, that no standing
order is overdue, and that each running server finds what the catalog holds. It only reads and works while servers are
running; large files and catalogs take a while.
The exit status is 1 if it finds a problem.`
}

// Run runs every check and prints its findings.
func (c *doctorCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	checks, findings := []doctor.Check{}, []audit.Finding{}
	var b *bar
	progress := func(area string, done, total int) {
		if b == nil && !c.JSON {
			b = newBar(s.err, int64(total))
		}
		b.show(int64(done), area)
	}
	err = a.Doctor.Run(s.ctx, progress, func(k doctor.Check) {
		b.clear()
		b = nil
		checks, findings = append(checks, k), append(findings, k.Findings...)
		if !c.JSON {
			s.printCheck(k)
		}
	})
	b.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.printJSON(map[string]any{"ok": len(findings) == 0, "findings": findings, "checks": checks}); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return errFindings
	}
	return nil
}

func (s *session) printCheck(k doctor.Check) {
	switch {
	case k.Skipped != "":
		s.printf("skip  %-10s  %s\n", k.Area, k.Skipped)
	case len(k.Findings) == 0:
		s.printf("ok    %-10s  %s\n", k.Area, k.Proves)
	default:
		s.printf("FAIL  %-10s  %s:\n", k.Area, plural(len(k.Findings), "finding", "findings"))
	}
	for _, f := range k.Findings {
		s.printf("      %s: %s\n", f.Subject, f.Problem)
	}
}
