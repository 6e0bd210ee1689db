package indexing

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
)

// AuditOptions is what AuditIndex works on.
type AuditOptions struct {
	Catalog *catalog.Store
	Index   index.Index

	// Patience is how long the index may be behind the catalog. Defaults to 30s.
	Patience time.Duration
	// Progress is told how many of how many companies have been looked at. Defaults to nobody.
	Progress func(done, total int)
}

const (
	auditSpan        = 5_000 // companies that are in memory at a time
	auditFindingsMax = 100
	spanAttemptsMax  = 2 // before a span that changes all the time is halved
	auditAttemptsMax = 20
	auditPoll        = 20 * time.Millisecond
)

// AuditIndex holds an index that follows the catalog to it: the same companies, with the same facts, found by the same
// words, in the same orders. It reads the catalog span by span, and asks the index about the same companies only; what
// changes meanwhile is looked at again, so it is right while imports run. It gives the first 100 findings, each about
// as few companies as show it. An index that does not follow is one finding.
func AuditIndex(ctx context.Context, o AuditOptions) ([]audit.Finding, error) {
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	a := &indexAudit{AuditOptions: o}
	extent, err := o.Catalog.Extent(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit index: %w", err)
	}
	last := int(extent.Last)
	for first := 1; first <= last && !a.over(); first += auditSpan {
		o.Progress(first-1, last)
		if err := a.span(ctx, company.Number(first), company.Number(min(first+auditSpan-1, last))); err != nil {
			return nil, fmt.Errorf("audit index: %w", err)
		}
	}
	if err := a.size(ctx); err != nil {
		return nil, fmt.Errorf("audit index: %w", err)
	}
	return a.findings, nil
}

// indexAudit is a running AuditIndex.
type indexAudit struct {
	AuditOptions
	findings []audit.Finding
	behind   bool // the index does not follow, so it cannot be compared
}

func (a *indexAudit) over() bool { return a.behind || len(a.findings) >= auditFindingsMax }

func (a *indexAudit) find(subject, format string, args ...any) {
	a.findings = append(a.findings, audit.Finding{Subject: subject, Problem: fmt.Sprintf(format, args...)})
}

// span compares the companies with the numbers from first to last, again if they changed meanwhile. Whatever the index
// says about companies that have not changed between two looks at the catalog, and at whose last change it has arrived,
// it says about the state that the catalog gave.
func (a *indexAudit) span(ctx context.Context, first, last company.Number) error {
	attempts := spanAttemptsMax
	if first == last {
		attempts = auditAttemptsMax
	}
	for range attempts {
		companies, at, err := a.Catalog.Span(ctx, first, last)
		if err != nil {
			return err
		}
		if arrived, err := a.await(ctx, at.Seq); err != nil || !arrived {
			return err
		}
		problem, err := a.compare(ctx, stretch{first, last, companies})
		if err != nil || problem == "" {
			return err
		}
		now, err := a.Catalog.SpanStamp(ctx, first, last)
		if err != nil {
			return err
		}
		if now == at {
			return a.narrow(ctx, stretch{first, last, companies}, problem)
		}
	}
	// They change faster than they can be compared; fewer of them do so less often.
	if first == last {
		return nil
	}
	return a.halves(ctx, first, last)
}

// await waits until the index has arrived at seq; if it takes too long, that is a finding.
func (a *indexAudit) await(ctx context.Context, seq uint64) (arrived bool, err error) {
	deadline := time.Now().Add(a.Patience)
	for a.Index.Seq() < seq {
		if time.Now().After(deadline) {
			a.behind = true
			a.find("index", "it does not follow the catalog: it stays at %d, and the catalog is at %d", a.Index.Seq(), seq)
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(auditPoll):
		}
	}
	return true, nil
}

// narrow looks for the smallest parts of a span that have a problem.
func (a *indexAudit) narrow(ctx context.Context, s stretch, problem string) error {
	if s.first == s.last {
		a.find(s.String(), "%s", problem)
		return nil
	}
	before := len(a.findings)
	if err := a.halves(ctx, s.first, s.last); err != nil {
		return err
	}
	if len(a.findings) == before {
		a.find(s.String(), "%s", problem)
	}
	return nil
}

func (a *indexAudit) halves(ctx context.Context, first, last company.Number) error {
	middle := first + (last-first)/2
	if !a.over() {
		if err := a.span(ctx, first, middle); err != nil {
			return err
		}
	}
	if a.over() {
		return nil
	}
	return a.span(ctx, middle+1, last)
}

// size compares the number of companies in all, which tells whether the index has any that the catalog never had. An
// import that never pauses may leave no moment for it.
func (a *indexAudit) size(ctx context.Context) error {
	for range auditAttemptsMax {
		if a.over() {
			return nil
		}
		extent, err := a.Catalog.Extent(ctx)
		if err != nil {
			return err
		}
		if arrived, err := a.await(ctx, extent.Seq); err != nil || !arrived {
			return err
		}
		n := a.Index.Len()
		if now := a.Index.Seq(); now == extent.Seq {
			if n != extent.Companies && len(a.findings) == 0 {
				a.find("index", "it holds %d companies in all, and the catalog %d", n, extent.Companies)
			}
			return nil
		}
	}
	return nil
}
