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

// AuditOptions are what AuditIndex needs.
type AuditOptions struct {
	Catalog *catalog.Store
	Index   index.Index

	// MaxLag is how long the audit waits for the index to catch up with the catalog. Defaults to 30s.
	MaxLag time.Duration
	// Progress is called with the number of companies that were compared, and the total. May be nil.
	Progress func(done, total int)
}

const (
	auditSpan        = 5_000 // company numbers that are compared at a time
	auditFindingsMax = 100
	spanAttemptsMax  = 2 // before a range that keeps changing is halved
	auditAttemptsMax = 20
	auditPoll        = 20 * time.Millisecond
)

// AuditIndex compares an index with the catalog that it follows: it must have the same companies with the same values, find
// them by the same words, and sort them in the same orders. The audit reads the catalog in ranges of numbers and searches
// the index within the same range. A range that changes during the comparison is compared again, so imports may run. It
// returns the first 100 findings, each about the smallest range that shows it. An index that does not follow is one finding.
func AuditIndex(ctx context.Context, o AuditOptions) ([]audit.Finding, error) {
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if o.MaxLag <= 0 {
		o.MaxLag = 30 * time.Second
	}
	a := &indexAudit{AuditOptions: o}
	extent, err := o.Catalog.Extent(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit index: %w", err)
	}
	last := int(extent.Last)
	for first := 1; first <= last && !a.done(); first += auditSpan {
		o.Progress(first-1, last)
		if err := a.auditRange(ctx, company.Number(first), company.Number(min(first+auditSpan-1, last))); err != nil {
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
	behind   bool // the index does not follow the catalog, so it cannot be compared
}

func (a *indexAudit) done() bool { return a.behind || len(a.findings) >= auditFindingsMax }

func (a *indexAudit) report(subject, format string, args ...any) {
	a.findings = append(a.findings, audit.Finding{Subject: subject, Problem: fmt.Sprintf(format, args...)})
}

// auditRange compares the companies with the numbers from first to last, and again if they changed in between. If they did
// not change between two reads of the catalog, and the index has applied their last change, both describe the same state.
func (a *indexAudit) auditRange(ctx context.Context, first, last company.Number) error {
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
		problem, err := a.compare(ctx, numberRange{first, last, companies})
		if err != nil || problem == "" {
			return err
		}
		now, err := a.Catalog.SpanStamp(ctx, first, last)
		if err != nil {
			return err
		}
		if now == at {
			return a.narrow(ctx, numberRange{first, last, companies}, problem)
		}
	}
	// They change faster than they can be compared. A smaller range changes less often.
	if first == last {
		return nil
	}
	return a.splitRange(ctx, first, last)
}

// await waits until the index has applied the changes up to seq. If that takes longer than MaxLag, it is a finding.
func (a *indexAudit) await(ctx context.Context, seq uint64) (arrived bool, err error) {
	deadline := time.Now().Add(a.MaxLag)
	for a.Index.Seq() < seq {
		if time.Now().After(deadline) {
			a.behind = true
			a.report("index", "it does not follow the catalog: it is at change %d, and the catalog is at %d", a.Index.Seq(), seq)
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

// narrow reports the smallest ranges within s that have a problem.
func (a *indexAudit) narrow(ctx context.Context, s numberRange, problem string) error {
	if s.first == s.last {
		a.report(s.String(), "%s", problem)
		return nil
	}
	before := len(a.findings)
	if err := a.splitRange(ctx, s.first, s.last); err != nil {
		return err
	}
	if len(a.findings) == before {
		a.report(s.String(), "%s", problem)
	}
	return nil
}

// splitRange audits both halves of a range.
func (a *indexAudit) splitRange(ctx context.Context, first, last company.Number) error {
	middle := first + (last-first)/2
	if !a.done() {
		if err := a.auditRange(ctx, first, middle); err != nil {
			return err
		}
	}
	if a.done() {
		return nil
	}
	return a.auditRange(ctx, middle+1, last)
}

// size compares the total number of companies, which shows whether the index has any that the catalog never had. During an
// import without pauses the two may never be at the same change; then the total is not compared.
func (a *indexAudit) size(ctx context.Context) error {
	for range auditAttemptsMax {
		if a.done() {
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
				a.report("index", "it has %d companies in total, and the catalog %d", n, extent.Companies)
			}
			return nil
		}
	}
	return nil
}
