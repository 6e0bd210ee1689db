package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

func TestAColumnPresetIsUsedByQuotesExportsAndOrdersWhichKeepItsColumns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := stocked(t, 3, settings{db: d})
		h.work(t)
		made := get[M](t, h, h.writer, 201, "POST", "/presets", M{"name": " CRM ", "columns": []string{"domain", "name", "employee_count"}, "header_row": "label"})
		require.Equal(t, []any{"CRM", []any{"domain", "name", "employee_count"}, "label"}, []any{made["name"], made["columns"], made["header_row"]})
		at := "/presets/" + made["id"].(string)
		require.Equal(t, made, get[M](t, h, h.reader, 200, "GET", at, nil))
		require.Equal(t, []any{made}, get[M](t, h, h.reader, 200, "GET", "/presets", nil)["items"])

		body := M{"name": "All", "search_filters": M{}, "preset_id": made["id"]}
		order := get[M](t, h, h.writer, 201, "POST", "/orders", ordered(M{"preset_id": made["id"]}))
		quote := get[M](t, h, h.writer, 200, "POST", "/exports/quote", body)
		require.Equal(t, http.StatusOK, h.send(t, h.writer, "PATCH", at, M{"columns": []string{"id"}, "header_row": "name"}).status)
		require.Equal(t, http.StatusNoContent, h.send(t, h.writer, "DELETE", at, nil).status)
		require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "GET", at, nil).code(t))

		run := get[M](t, h, h.writer, 201, "POST", "/orders/"+order["id"].(string)+"/run", nil)
		for _, export := range []any{
			run["export_id"],
			get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "Bought", "quote_id": quote["quote_id"]})["export_job"].(M)["id"],
		} {
			finish(t, h, export.(string))
			file := string(download(t, h, export.(string)).body)
			require.Equal(t, "Domain,Name,Employees", strings.TrimSpace(strings.SplitN(file, "\n", 2)[0]), "what was made with the preset keeps its columns")
		}
		kept := get[M](t, h, h.reader, 200, "GET", "/orders/"+order["id"].(string), nil)
		require.Equal(t, []any{[]any{"domain", "name", "employee_count"}, "label"}, []any{kept["columns"], kept["header_row"]})
		a := h.send(t, h.writer, "POST", "/exports", body)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, a.fields(t), "preset_id")
	})
}

// written returns the file of an export that was just created.
func written(t *testing.T, h *house, made M) string {
	t.Helper()
	export := made["export_job"].(M)["id"].(string)
	finish(t, h, export)
	return string(download(t, h, export).body)
}

func TestAPresetFitsEveryFormatAndStandsForItsColumnsAlone(t *testing.T) {
	t.Parallel()
	h := stocked(t, 3, settings{})
	h.work(t)
	preset := get[M](t, h, h.writer, 201, "POST", "/presets", M{"name": "CRM", "columns": []string{"name", "id"}, "header_row": "label"})["id"]
	for format, first := range map[string]string{"csv": "Name,ID\r\n", "ndjson": `{"name":`, "json": `[`} {
		made := get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": format, "search_filters": M{}, "preset_id": preset, "export_format": format})
		require.True(t, strings.HasPrefix(written(t, h, made), first), format)
	}
	// The format may be that of the quote, and the preset may come with the purchase.
	quote := get[M](t, h, h.writer, 200, "POST", "/exports/quote", M{"search_filters": M{}, "export_format": "ndjson"})["quote_id"]
	made := get[M](t, h, h.writer, 201, "POST", "/exports", M{"name": "x", "quote_id": quote, "preset_id": preset})
	require.True(t, strings.HasPrefix(written(t, h, made), `{"name":`))

	before := get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"]
	stranger := h.token(t, h.workspace(t, 100), auth.ReadWrite)
	for field, body := range map[string]M{
		"columns": {"columns": []string{"name"}}, "header_row": {"header_row": "name"}, "preset_id": {"preset_id": "0195510c-7a3b-7c1d-9e2f-0a1b2c3d4e5f"},
	} {
		sent := M{"name": "x", "search_filters": M{}, "preset_id": preset}
		for k, v := range body {
			sent[k] = v
		}
		for _, path := range []string{"/exports", "/exports/quote"} {
			a := h.send(t, h.writer, "POST", path, sent)
			require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s", a.body)
			require.Contains(t, a.fields(t), field)
		}
		a := h.send(t, h.writer, "POST", "/orders", ordered(M{"preset_id": sent["preset_id"], field: sent[field]}))
		require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s", a.body)
		require.Contains(t, a.fields(t), field)
	}
	a := h.send(t, stranger, "POST", "/exports", M{"name": "x", "search_filters": M{}, "preset_id": preset})
	require.Contains(t, a.fields(t), "preset_id", "a preset of another workspace is unknown")
	for _, op := range [][2]string{{"GET", ""}, {"PATCH", ""}, {"DELETE", ""}} {
		var change any
		if op[0] == "PATCH" {
			change = M{"name": "Mine"}
		}
		require.Equal(t, "NOT_FOUND", h.send(t, stranger, op[0], "/presets/"+preset.(string), change).code(t))
	}
	require.Equal(t, before, get[M](t, h, h.reader, 200, "GET", "/credits", nil)["balance"])
}

func TestEveryWrongPresetIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	made := get[M](t, h, h.writer, 201, "POST", "/presets", M{"name": "CRM", "columns": []string{"name"}})
	require.Equal(t, "name", made["header_row"])
	for field, body := range map[string]M{
		"name": {"name": "CRM", "columns": []string{"id"}}, "columns": {"name": "x", "columns": []string{}}, "columns[0]": {"name": "x", "columns": []string{"nam"}},
		"columns[1]": {"name": "x", "columns": []string{"id", "id"}}, "header_row": {"name": "x", "columns": []string{"id"}, "header_row": "labels"},
	} {
		a := h.send(t, h.writer, "POST", "/presets", body)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s %s", field, a.body)
		require.Contains(t, a.fields(t), field)
	}
	other := get[M](t, h, h.writer, 201, "POST", "/presets", M{"name": "Other", "columns": []string{"name"}})
	for field, change := range map[string]M{"name": {"name": "CRM"}, "columns[0]": {"columns": []string{"x"}}, "columns": {"columns": []string{}}} {
		a := h.send(t, h.writer, "PATCH", "/presets/"+other["id"].(string), change)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s %s", field, a.body)
		require.Contains(t, a.fields(t), field)
	}
	require.Equal(t, other, get[M](t, h, h.reader, 200, "GET", "/presets/"+other["id"].(string), nil), "a change that is refused changes nothing")
	for i := range 48 {
		get[M](t, h, h.writer, 201, "POST", "/presets", M{"name": strings.Repeat("n", i+1), "columns": []string{"name"}})
	}
	require.Contains(t, string(h.send(t, h.writer, "POST", "/presets", M{"name": "one more", "columns": []string{"name"}}).body), "50 column presets")
}

func TestTheClientManagesPresets(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	h := stocked(t, 2, settings{publicURL: "http://" + server.Listener.Addr().String()})
	h.work(t)
	server.Config.Handler = h
	server.Start()
	t.Cleanup(server.Close)
	c, ctx := client.New(server.URL, h.writer, client.Options{}), t.Context()
	made, err := c.CreatePreset(ctx, client.PresetRequest{Name: "CRM", Columns: []string{"domain"}})
	require.NoError(t, err)
	changed, err := c.UpdatePreset(ctx, made.ID, client.PresetChange{HeaderRow: "label"})
	require.NoError(t, err)
	require.Equal(t, []any{"CRM", []string{"domain"}, "label"}, []any{changed.Name, changed.Columns, changed.HeaderRow})
	read, err := c.Preset(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, changed, read)
	all, err := c.Presets(ctx)
	require.NoError(t, err)
	require.Equal(t, []client.Preset{*changed}, all)
	bought, err := c.CreateExport(ctx, client.ExportRequest{Name: "x", SearchFilters: &client.Filters{}, PresetID: made.ID})
	require.NoError(t, err)
	order, err := c.CreateOrder(ctx, client.OrderRequest{Name: "x", SearchFilters: &client.Filters{}, PresetID: made.ID, Schedule: client.Schedule{After: "import"}})
	require.NoError(t, err)
	require.Equal(t, []string{"domain"}, order.Columns)
	finish(t, h, bought.ExportJob.ID)
	var file bytes.Buffer
	_, err = c.Download(ctx, bought.ExportJob.ID, &file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(file.String(), "Domain\r\n"), file.String())
	require.NoError(t, c.DeletePreset(ctx, made.ID))
	_, err = c.Preset(ctx, made.ID)
	require.ErrorContains(t, err, "There is no column preset")
}
