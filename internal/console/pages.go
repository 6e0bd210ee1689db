package console

import "net/http"

// pageRoutes are the pages of what a workspace does.
func pageRoutes() []route {
	const w = "/w/{workspace_id}"
	return []route{
		{http.MethodGet, w, member, (*server).workspaceHome},
		{http.MethodGet, w + "/search", member, (*server).searchPage},
		{http.MethodGet, w + "/search/complete", member, (*server).complete},
		{http.MethodGet, w + "/companies/{company_id}", member, (*server).showCompany},
		{http.MethodPost, w + "/companies/{company_id}/list", member, (*server).addCompany},

		{http.MethodGet, w + "/lists", member, (*server).listLists},
		{http.MethodPost, w + "/lists", member, (*server).createList},
		{http.MethodPost, w + "/lists/from-search", member, (*server).saveAsList},
		{http.MethodGet, w + "/lists/{list_id}", member, (*server).showList},
		{http.MethodPost, w + "/lists/{list_id}/rename", member, (*server).renameList},
		{http.MethodPost, w + "/lists/{list_id}/delete", member, (*server).deleteList},
		{http.MethodPost, w + "/lists/{list_id}/add", member, (*server).addToList},
		{http.MethodPost, w + "/lists/{list_id}/remove", member, (*server).removeFromList},
		{http.MethodPost, w + "/searches", member, (*server).saveSearch},
		{http.MethodPost, w + "/searches/{search_id}/delete", member, (*server).deleteSearch},

		{http.MethodGet, w + "/exports", member, (*server).exportHistory},
		{http.MethodPost, w + "/exports", member, (*server).buyExport},
		{http.MethodGet, w + "/exports/new", member, (*server).newExport},
		{http.MethodPost, w + "/exports/quote", member, (*server).quoteExport},
		{http.MethodGet, w + "/exports/{export_id}", member, (*server).showExport},
		{http.MethodGet, w + "/exports/{export_id}/events", member, (*server).exportEvents},
		{http.MethodGet, w + "/exports/{export_id}/download", member, (*server).downloadExport},
		{http.MethodGet, w + "/exports/{export_id}/receipt", member, (*server).exportReceipt},
		{http.MethodPost, w + "/exports/{export_id}/cancel", member, (*server).cancelExport},

		{http.MethodGet, w + "/credits", member, (*server).showCredits},

		{http.MethodGet, w + "/tokens", member, (*server).listTokens},
		{http.MethodPost, w + "/tokens", member, (*server).createToken},
		{http.MethodPost, w + "/tokens/{token_id}/revoke", member, (*server).revokeToken},
		{http.MethodPost, w + "/tokens/{token_id}/rotate", member, (*server).rotateToken},
		{http.MethodPost, w + "/tokens/{token_id}/budget", member, (*server).setBudget},
	}
}
