package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

func TestCompanyIsShownWithItsConnectionsBothWays(t *testing.T) {
	t.Parallel()
	h := open(t)
	made := h.companies(t, 2)
	h.connect(t, made[0], made[1], "vendor")
	h.connect(t, made[0], &company.Company{Name: "Unknown Inc"}, "owned_company")
	ann := h.as(t, h.ann)
	page := func(c *company.Company) string {
		a := ann.get(t, in(h.acme, "/companies/"+c.ID.String()))
		require.Equal(t, http.StatusOK, a.status)
		return a.body
	}
	from := page(made[0])
	require.Contains(t, from, "/companies/"+made[1].ID.String())
	require.Contains(t, from, "Unknown Inc")
	require.Contains(t, from, "owned company")
	require.Contains(t, from, "No company in the catalog mentions it.")
	to := page(made[1])
	require.Contains(t, to, "/companies/"+made[0].ID.String())
	require.Contains(t, to, "lists it as <bdi>vendor</bdi>")
	search := ann.get(t, in(h.acme, "/search?connections=%3A"+made[1].ID.String())).body
	require.Equal(t, "1", figuresIn(t, search)[0])

	a := ann.post(t, in(h.acme, "/companies/"+made[0].ID.String()+"/list"), "name", "Fresh")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Contains(t, page(made[0]), "Added Company 0 to Fresh.")
	ann.post(t, in(h.acme, "/companies/"+made[0].ID.String()+"/list"), "name", "")
	require.Contains(t, page(made[0]), "Nothing was added: ")
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/companies/"+id.New[id.Company]().String())).status)
	require.Equal(t, http.StatusNotFound, ann.get(t, in(h.acme, "/companies/nonsense")).status)
}
