package console

import "net/http"

// pageRoutes are the pages of what a workspace does.
func pageRoutes() []route {
	return []route{
		{http.MethodGet, "/w/{workspace_id}", member, (*server).workspaceHome},
	}
}
