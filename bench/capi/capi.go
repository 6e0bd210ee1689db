// Package capi runs our own index as a contender, in process.
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

	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/workload"
)

// Kind is the embedded index on disk, as the server uses it.
var Kind = contender.Kind{Name: "CAPI", About: "embedded index", Store: "index", Load: load, Open: open}

// batch is the number of companies applied at once, the same as when the index is built from the catalog.
const batch = 50_000

// Index answers operations with the embedded index.
type Index struct {
	*embedded.Index
	owned       company.Set
	firstAnswer time.Duration
}

func load(ctx context.Context, w *workload.Workload, dir string) error {
	took, err := Build(ctx, w, dir)
	if err == nil {
		fmt.Fprintf(os.Stderr, "index of %d companies built in %s, %.0f a second\n", w.Len, took.Round(time.Millisecond),
			float64(w.Len)/took.Seconds())
	}
	return err
}

// Build builds the index of the workload in the directory, fully merged. It returns how long that took,
// without the time to generate the companies.
func Build(ctx context.Context, w *workload.Workload, dir string) (took time.Duration, err error) {
	ix := embedded.Open(embedded.Options{})
	if err := ix.Attach(ctx, dir, source{w}); err != nil {
		return 0, err
	}
	timed := func(what func() error) error {
		start := time.Now()
		defer func() { took += time.Since(start) }()
		return what()
	}
	for companies := range w.Batches(batch) {
		changes := make([]index.Change, len(companies))
		for i, c := range companies {
			changes[i] = index.Change{Number: c.Number, Company: c}
		}
		if err := timed(func() error { return ix.Apply(ctx, changes, 0) }); err != nil {
			return 0, fmt.Errorf("build index: %w", err)
		}
	}
	if err := timed(func() error {
		ix.MergeAll()
		if err := ix.Apply(ctx, nil, uint64(w.Len)); err != nil {
			return err
		}
		return ix.Close()
	}); err != nil {
		return 0, fmt.Errorf("build index: %w", err)
	}
	return took, nil
}

// source is the workload as a catalog that is never restored to an earlier state.
type source struct{ *workload.Workload }

func (s source) Origin(context.Context) (string, uint64, error) {
	return "workload", uint64(s.Len), nil
}

func (source) SaveCheckpoint(context.Context, string, string, string, uint64) error { return nil }

func (source) HasCheckpoint(context.Context, string, string) (bool, error) { return true, nil }

func open(ctx context.Context, w *workload.Workload, dir string) (contender.Contender, error) {
	return Open(ctx, w, dir)
}

// Open opens the loaded index, and rebuilds it if another version wrote it.
func Open(ctx context.Context, w *workload.Workload, dir string) (*Index, error) {
	start := time.Now()
	ix := embedded.Open(embedded.Options{})
	if err := ix.Attach(ctx, dir, source{w}); err != nil {
		return nil, err
	}
	if ix.Len() != w.Len {
		if err := ix.Close(); err != nil {
			return nil, err
		}
		if err := embedded.Remove(dir); err != nil {
			return nil, err
		}
		if err := load(ctx, w, dir); err != nil {
			return nil, err
		}
		return Open(ctx, w, dir)
	}
	opened := time.Since(start)
	if _, err := ix.Search(ctx, index.Request{
		Limit: workload.Page, FacetLimit: workload.FacetValues, Facets: workload.Facets,
	}); err != nil {
		return nil, err
	}
	first := time.Since(start)
	fmt.Fprintf(os.Stderr, "index opened in %s, first answer after %s\n", opened.Round(time.Millisecond),
		first.Round(time.Millisecond))
	return &Index{ix, w.Owned(), first}, nil
}

// FirstAnswer returns the time to open the index and to answer a search of everything, with facets.
func (ix *Index) FirstAnswer() time.Duration { return ix.firstAnswer }

// Ask answers op.
func (ix *Index) Ask(ctx context.Context, op workload.Op) (workload.Answer, error) {
	return Answer(ctx, ix.Index, ix.owned, op)
}

// Answer answers op with any index of ours.
func Answer(ctx context.Context, ix index.Index, owned company.Set, op workload.Op) (workload.Answer, error) {
	switch op.Kind {
	case workload.Select, workload.Split:
		return pick(ctx, ix, owned, op)
	case workload.Price:
		// A page has at least one company.
		found, err := ix.Search(ctx, index.Request{Query: op.Query, Sort: op.Sort, Limit: 1, Owned: owned})
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

func pick(ctx context.Context, ix index.Index, owned company.Set, op workload.Op) (workload.Answer, error) {
	found, err := ix.Select(ctx, index.Selection{Query: op.Query, Sort: op.Sort, Limit: workload.Selection})
	if err != nil {
		return workload.Answer{}, err
	}
	answer := workload.Answer{Total: found.Total, Rows: found.Numbers}
	if op.Kind == workload.Split {
		answer.Owned = company.SetOf(found.Numbers...).AndLen(owned)
	}
	return answer, nil
}

func facetsOf(f index.Facets) [][]index.Count {
	var facets [][]index.Count
	for _, facet := range workload.Facets {
		counts := f.Values[facet]
		for _, b := range f.Bands[facet] {
			counts = append(counts, index.Count{Value: bandName(b), Count: b.Count})
		}
		facets = append(facets, counts)
	}
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
