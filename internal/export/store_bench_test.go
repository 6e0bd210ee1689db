package export_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob/s3"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// BenchmarkStores measures exports of 1,000 companies on PostgreSQL with files in a bucket and on the local disk, which take turns: how
// long a client waits for the answer, and how long until the file is complete. All but the first export are of owned companies.
func BenchmarkStores(b *testing.B) {
	const companies = 1_000
	for _, variable := range s3test.Env() {
		name, value, _ := strings.Cut(variable, "=")
		b.Setenv(name, value)
	}
	server := s3test.Start(b)
	bucket, err := s3.Open(b.Context(), s3.Options{
		Bucket: server.NewBucket(b), Endpoint: server.Endpoint, PathStyle: true, Region: s3test.Region,
	})
	require.NoError(b, err)
	local, remote := newStoreBuyer(b, companies), newStoreBuyer(b, companies)
	remote.blobs.Store = bucket
	for first, second := local, remote; b.Loop(); first, second = second, first { // what one leaves to do slows the next
		first.buy(b, companies)
		second.buy(b, companies)
	}
	b.ReportMetric(middle(local.created), "ms/created-local")
	b.ReportMetric(middle(remote.created), "ms/created-bucket")
	b.ReportMetric(middle(local.completed), "ms/completed-local")
	b.ReportMetric(middle(remote.completed), "ms/completed-bucket")
}

type storeBuyer struct {
	*fixture
	done               <-chan struct{}
	created, completed []time.Duration
}

func newStoreBuyer(b *testing.B, companies int) *storeBuyer {
	s := open(b, dbtest.Postgres(b), companies, int64(companies))
	return &storeBuyer{fixture: s, done: s.runs(b)}
}

func (y *storeBuyer) buy(b *testing.B, companies int) {
	start := time.Now()
	_, _, err := y.Create(b.Context(), y.caller, between(1, int64(companies)))
	require.NoError(b, err)
	y.created = append(y.created, time.Since(start))
	<-y.done
	y.completed = append(y.completed, time.Since(start))
}

func middle(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1000
}
