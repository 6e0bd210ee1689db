// Package opensearch runs OpenSearch as a contender: our own index in it, asked without a server of ours in between.
package opensearch

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/opensearch"

	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/workload"
)

// addressesVariable is set by scripts/with-opensearch.sh.
const addressesVariable = "CAPI_TEST_OPENSEARCH"

// batch is the number of companies applied at once.
const batch = 10_000

// Kind is OpenSearch. The server lives as long as the program, so it is filled when it is opened.
var Kind = contender.Kind{
	Name: "OpenSearch", About: "OpenSearch with the index of CAPI, one shard",
	Missing: func() string {
		if os.Getenv(addressesVariable) == "" {
			return "no server: " + addressesVariable + " is not set"
		}
		return ""
	},
	Open: func(ctx context.Context, w *workload.Workload, _ string) (contender.Contender, error) {
		return Open(ctx, w)
	},
}

// Index answers operations. It is safe for concurrent use.
type Index struct {
	*opensearch.Index
	owned company.Set
}

// Name returns the name of the index of that many companies.
func Name(companies int) string { return "bench-" + strconv.Itoa(companies) }

// Open opens the index of the workload, and fills it unless it is full.
func Open(ctx context.Context, w *workload.Workload) (*Index, error) {
	ix, err := opensearch.Open(ctx, opensearch.Options{
		Addresses: strings.Split(os.Getenv(addressesVariable), ","), Name: Name(w.Len), Timeout: 10 * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	if ix.Len() != w.Len {
		start := time.Now()
		if err := ix.Rebuild(ctx, func(ctx context.Context, fresh index.Index) error { return fill(ctx, w, fresh) }); err != nil {
			ix.Close()
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "OpenSearch filled in %s\n", time.Since(start).Round(time.Millisecond))
	}
	return &Index{ix, w.Owned()}, nil
}

func fill(ctx context.Context, w *workload.Workload, ix index.Index) error {
	for companies := range w.Batches(batch) {
		changes := make([]index.Change, len(companies))
		for i, c := range companies {
			changes[i] = index.Change{Number: c.Number, Company: c}
		}
		if err := ix.Apply(ctx, changes, 0); err != nil {
			return err
		}
	}
	return ix.Apply(ctx, nil, uint64(w.Len))
}

// Ask answers op.
func (ix *Index) Ask(ctx context.Context, op workload.Op) (workload.Answer, error) {
	return capi.Answer(ctx, ix.Index, ix.owned, op)
}
