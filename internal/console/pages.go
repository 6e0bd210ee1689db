package console

import "net/http"

// pageRoutes are the pages of what a workspace does.
func pageRoutes() []route {
	const w = "/w/{workspace_id}"
	return []route{
		{http.MethodGet, w, member, (*server).workspaceHome},
		{http.MethodGet, w + "/search", member, (*server).searchPage},
		{http.MethodGet, w + "/search/complete", member, (*server).complete},

		{http.MethodGet, w + "/exports", member, (*server).exportHistory},
		{http.MethodPost, w + "/exports", member, (*server).buyExport},
		{http.MethodGet, w + "/exports/new", member, (*server).newExport},
		{http.MethodPost, w + "/exports/quote", member, (*server).quoteExport},
		{http.MethodGet, w + "/exports/{export_id}", member, (*server).showExport},
		{http.MethodGet, w + "/exports/{export_id}/events", member, (*server).exportEvents},
		{http.MethodGet, w + "/exports/{export_id}/download", member, (*server).downloadExport},
		{http.MethodGet, w + "/exports/{export_id}/receipt", member, (*server).exportReceipt},
		{http.MethodPost, w + "/exports/{export_id}/cancel", member, (*server).cancelExport},
	}
}
