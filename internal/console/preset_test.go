package console

import (
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/preset"
)

func TestAColumnPresetIsMadeChosenChangedAndDeleted(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, companytest.Slice(1, 3)...)
	ann, page := h.as(t, h.bob), in(h.acme, "/presets") // every member may
	require.Contains(t, ann.get(t, page).body, "No column presets yet")
	require.NotContains(t, ann.get(t, in(h.acme, "/exports/new")).body, `id="preset"`, "there is nothing to choose from")
	for said, form := range map[string][]string{
		"Choose at least one of these columns.": {"name", "CRM"}, `id="name-fault"`: {"name", " ", "column", "name"},
	} {
		bad := ann.post(t, page, form...)
		require.Equal(t, http.StatusUnprocessableEntity, bad.status)
		require.Contains(t, bad.body, said)
	}
	require.Contains(t, ann.follow(t, ann.post(t, page, "name", "CRM", "column", "domain", "column", "name", "header_row", "label")).body, "CRM now.")
	twice := ann.post(t, page, "name", "CRM", "column", "country")
	require.Contains(t, twice.body, "is the name of another preset")
	require.Contains(t, twice.body, `value="country" checked`, "what was ticked stays")
	at := regexp.MustCompile(page + `/([0-9a-f-]{36})/delete`).FindStringSubmatch(ann.get(t, page).body)
	crm, err := id.Parse[id.Preset](at[1])
	require.NoError(t, err)

	// An API client may have chosen another order, which a change in the console keeps.
	_, err = h.Presets.Update(t.Context(), h.acme, crm, preset.Change{Columns: &[]string{"domain", "name"}})
	require.NoError(t, err)
	ann.post(t, page+"/"+at[1], "name", "CRM", "column", "id", "column", "name", "column", "domain", "header_row", "label")
	p, err := h.Presets.Get(t.Context(), h.acme, crm)
	require.NoError(t, err)
	require.Equal(t, []any{[]string{"domain", "name", "id"}, true}, []any{p.Columns, p.Labels})

	require.Contains(t, ann.get(t, in(h.acme, "/exports/new?preset="+at[1])).body, `<option value="`+at[1]+`" selected>CRM (3 columns, with labels)</option>`)
	h.exec(t, `UPDATE column_preset SET columns = 'of_an_older_version'`)
	require.Contains(t, ann.get(t, in(h.acme, "/exports/new?preset="+at[1])).body, "The columns of this preset do not exist any more.")
	h.exec(t, `UPDATE column_preset SET columns = 'domain,name,id'`)

	form := ann.quoted(t, "name", "All", "preset", at[1], "column", "country")
	bought := ann.post(t, in(h.acme, "/exports"), flat(form)...)
	export, err := id.Parse[id.Export](path.Base(bought.location()))
	require.NoError(t, err)
	made := ann.post(t, in(h.acme, "/orders"), "name", "Weekly", "preset", at[1])
	require.Equal(t, http.StatusSeeOther, made.status, made.body)
	require.Contains(t, ann.follow(t, ann.post(t, at[0][:strings.LastIndex(at[0], "/")]+"/delete")).body, "The preset was deleted.")
	e, err := h.Exports.Get(t.Context(), auth.Caller{Workspace: h.acme}, export)
	require.NoError(t, err)
	want := format.Options{Columns: []string{"domain", "name", "id"}, Headers: format.HeadersLabel}
	require.Equal(t, want, e.Options)
	require.Contains(t, ann.get(t, strings.TrimPrefix(made.location(), basePath)).body, "<dd>domain, name, id</dd>", "an order keeps the columns of a deleted preset")

	gone := ann.post(t, in(h.acme, "/orders"), "name", "Weekly", "preset", at[1])
	require.Equal(t, http.StatusUnprocessableEntity, gone.status)
	require.Contains(t, gone.body, "This column preset does not exist any more.")
	for _, form := range []string{"/orders/new?preset=", "/exports/new?preset="} {
		opened := ann.get(t, in(h.acme, form+at[1])).body
		require.Contains(t, opened, "This column preset does not exist any more.", form)
		require.Contains(t, opened, `<option value="`+at[1]+`" selected>a preset that was deleted</option>`, "the form is not sent again without it unnoticed")
	}
	require.Contains(t, ann.get(t, in(h.acme, "/orders/new?preset=nonsense")).body, "This column preset does not exist any more.")
	stranger := h.as(t, h.eve)
	require.Equal(t, http.StatusNotFound, stranger.get(t, page).status)
	require.Equal(t, http.StatusNotFound, stranger.post(t, page+"/"+at[1]+"/delete").status)
}
