package app

import (
	"context"
	"runtime/debug"

	"github.com/opencapi/capi/internal/console"
)

// plant is the installation as its operators see it in the console.
func (a *App) plant() console.Plant {
	return console.Plant{Figures: a.plantFigures, Examine: a.examineForConsole}
}

func (a *App) plantFigures(ctx context.Context) (console.PlantFigures, error) {
	f := console.PlantFigures{Version: builtFrom(), Database: a.DB.Name(), Indexed: a.Index.Len(), IndexSeq: a.Index.Seq()}
	var err error
	if f.CatalogSeq, err = a.Catalog.Seq(ctx); err != nil {
		return f, err
	}
	if f.Companies, err = a.Catalog.Len(ctx); err != nil {
		return f, err
	}
	jobs, err := a.Jobs.Figures(ctx)
	for _, j := range jobs {
		f.Jobs = append(f.Jobs, console.JobFigure(j))
	}
	return f, err
}

func (a *App) examineForConsole(ctx context.Context, report func(console.Check)) error {
	return a.Examine(ctx, nil, func(c Check) {
		told := console.Check{Area: c.Area, Proves: c.Proves, Skipped: c.Skipped}
		for _, f := range c.Findings {
			told.Findings = append(told.Findings, console.Finding{Subject: f.Subject, Problem: f.Problem})
		}
		report(told)
	})
}

// builtFrom is the version that the binary was built from.
func builtFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
