package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnEmptyNumberOrDateIsNotTakenForNone(t *testing.T) {
	t.Parallel()
	h := stocked(t, 1, settings{})
	for path, field := range map[string]string{
		"/lists?limit=": "limit", "/exports?limit=&cursor=": "limit", "/credits/transactions?to=": "to", "/credits/transactions?from=&to=": "from",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			a := h.send(t, h.reader, "GET", path, nil)
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.fields(t), field)
			require.Contains(t, string(a.body), "leave the parameter out instead")
		})
	}
	require.Equal(t, http.StatusOK, h.send(t, h.reader, "GET", "/lists?cursor=", nil).status, "the first page has no cursor")
}
