package opensearchtest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/index/opensearch/opensearchtest"
)

func TestServerKeepsItsDocumentsWhenItIsKilled(t *testing.T) {
	s := opensearchtest.Find(t)
	index := s.Index(t)
	status, body := s.Do(t.Context(), t, http.MethodPut, "/"+index, `{"settings": {"number_of_replicas": 0},
		"mappings": {"properties": {"name": {"type": "text", "analyzer": "whitespace"}}}}`)
	require.Equal(t, http.StatusOK, status, body)
	status, body = s.Do(t.Context(), t, http.MethodPut, "/"+index+"/_doc/1?refresh=true", `{"name": "two words"}`)
	require.Equal(t, http.StatusCreated, status, body)

	s.Kill(t, 0)
	s.Start(t, 0)
	status, body = s.Do(t.Context(), t, http.MethodGet, "/_cluster/health/"+index+"?wait_for_status=green&timeout=60s", "")
	require.Equal(t, http.StatusOK, status, body)
	_, body = s.Do(t.Context(), t, http.MethodGet, "/"+index+"/_count?q=name:words", "")
	require.Contains(t, body, `"count":1`)
}
