package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheManifestIsDownloadedWithoutAToken(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	h.work(t)
	h.put(t, madeUp("Alpha", "Peru", 500), madeUp("Beta", "Peru", 50))
	export := create(t, h, M{"name": "Peru", "search_filters": M{"countries": []string{"PE"}}}).ExportJob.ID
	done := finish(t, h, export)
	link := get[M](t, h, h.reader, 200, "POST", "/exports/"+export+"/download", nil)["manifest_url"].(string)
	u, err := url.Parse(link)
	require.NoError(t, err)
	require.True(t, u.IsAbs(), link)
	a := h.raw(t, h.request(t, "", "GET", u.RequestURI(), nil))
	require.Equal(t, http.StatusOK, a.status)
	var m M
	require.NoError(t, json.Unmarshal(a.body, &m))
	require.Equal(t, export, m["export_id"])
	require.EqualValues(t, 2, m["rows"])
	require.Equal(t, done["file_size_bytes"], m["size_bytes"])
	require.Equal(t, done["transaction_id"], m["transaction_id"])
	require.Equal(t, M{"countries": []any{"PE"}}, m["search_filters"])
}
