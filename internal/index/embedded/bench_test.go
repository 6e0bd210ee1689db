package embedded_test

import (
	"testing"

	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/index/indextest"
)

func BenchmarkEmbedded(b *testing.B) {
	indextest.Bench(b, func(testing.TB) index.Index { return embedded.Open(embedded.Options{}) })
}
