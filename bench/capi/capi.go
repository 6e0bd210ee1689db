// Package capi is our own index as a contender, in the process itself.
package capi

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/index/indextest"

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/workload"
)

// Kind is the embedded index with all of the workload applied.
var Kind = contender.Kind{Name: "CAPI", About: "embedded index", Open: open}

// batch is how many companies are applied at once, as when the index is built from the catalog.
const batch = 50_000

// Index is the embedded index, and what filling it took.
type Index struct {
	index.Index
	owned company.Set
	Built time.Duration // without the making of the companies
}

// open builds the index.
func open(ctx context.Context, w *workload.Workload, _ string) (contender.Contender, error) {
	return Build(ctx, w)
}

// Build makes an index of the workload, merged as far as it goes.
func Build(ctx context.Context, w *workload.Workload) (*Index, error) {
	ix := &Index{Index: embedded.Open(embedded.Options{}), owned: w.Owned()}
	for companies := range w.Batches(batch) {
		changes := make([]index.Change, len(companies))
		for i, c := range companies {
			changes[i] = index.Change{Number: c.Number, Company: c}
		}
		start := time.Now()
		if err := ix.Apply(ctx, changes, uint64(companies[len(companies)-1].Number)); err != nil {
			return nil, fmt.Errorf("build index: %w", err)
		}
		ix.Built += time.Since(start)
	}
	start := time.Now()
	if m, ok := ix.Index.(indextest.Merger); ok {
		m.MergeAll()
	}
	ix.Built += time.Since(start)
	fmt.Fprintf(os.Stderr, "index of %d companies built in %s, %.0f a second\n", w.Len, ix.Built.Round(time.Millisecond),
		float64(w.Len)/ix.Built.Seconds())
	return ix, nil
}

// Ask answers op.
func (ix *Index) Ask(ctx context.Context, op workload.Op) (workload.Answer, error) {
	switch op.Kind {
	case workload.Select, workload.Split:
		return ix.pick(ctx, op)
	case workload.Price:
		// A page has one company at least.
		found, err := ix.Search(ctx, index.Request{Query: op.Query, Sort: op.Sort, Limit: 1, Owned: ix.owned})
		if err != nil {
			return workload.Answer{}, err
		}
		return workload.Answer{Total: found.Total, Owned: found.Owned}, nil
	default:
	}
	found, err := ix.Search(ctx, index.Request{
		Query: op.Query, Sort: op.Sort, Limit: workload.Page, FacetLimit: workload.FacetValues, Facets: workload.Facets,
	})
	if err != nil {
		return workload.Answer{}, err
	}
	return workload.Answer{Total: found.Total, Rows: found.Page, Facets: facetsOf(found.Facets)}, nil
}

func (ix *Index) pick(ctx context.Context, op workload.Op) (workload.Answer, error) {
	found, err := ix.Select(ctx, index.Selection{Query: op.Query, Sort: op.Sort, Limit: workload.Selection})
	if err != nil {
		return workload.Answer{}, err
	}
	answer := workload.Answer{Total: found.Total, Rows: found.Numbers}
	if op.Kind == workload.Split {
		answer.Owned = company.SetOf(found.Numbers...).AndLen(ix.owned)
	}
	return answer, nil
}

func facetsOf(f index.Facets) [][]index.Count {
	sizes := make([]index.Count, len(f.EmployeeCount))
	for i, b := range f.EmployeeCount {
		sizes[i] = index.Count{Value: bandName(b), Count: b.Count}
	}
	facets := [][]index.Count{f.Countries, f.Industries, f.Technologies, f.TechnologyCategories, sizes}
	for i := range facets {
		facets[i] = workload.SortFacet(facets[i])
	}
	return facets
}

func bandName(b index.Band) string {
	if b.Min == nil {
		return "0"
	}
	return strconv.FormatInt(*b.Min, 10)
}
