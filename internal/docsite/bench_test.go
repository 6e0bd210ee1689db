package docsite_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/docsite"
	"github.com/opencapi/capi/internal/httpx"
)

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		_, err := docsite.New(docsite.Deps{OpenAPI: api.OpenAPI, Status: httpx.Status})
		require.NoError(b, err)
	}
}

func BenchmarkPage(b *testing.B) {
	mux := http.NewServeMux()
	for pattern, h := range docsite.Mounts(docsite.Deps{OpenAPI: api.OpenAPI, Status: httpx.Status}) {
		mux.Handle(pattern, h)
	}
	for name, path := range map[string]string{"page": "/docs/reference/create-export", "search": "/docs/search?q=export"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				mux.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil))
				require.Equal(b, http.StatusOK, w.Code)
			}
		})
	}
}
