package console

import (
	"net/http"
)

// home leads to the person's only workspace, or to the list of them.
func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	if v := viewerOf(r.Context()); len(v.Others) == 1 {
		return redirect(w, r, workspacePath(v.Others[0].ID, ""))
	}
	return redirect(w, r, basePath+"/workspaces")
}

// workspaceHome is the first page of a workspace.
func (s *server) workspaceHome(w http.ResponseWriter, r *http.Request) error {
	return redirect(w, r, viewerOf(r.Context()).path("/search"))
}

// errorTitle is an error's status in a few words.
func errorTitle(status int) string {
	switch status {
	case http.StatusNotFound:
		return "Not found"
	case http.StatusForbidden:
		return "Not allowed"
	case http.StatusUnauthorized:
		return "Sign in"
	case http.StatusTooManyRequests:
		return "Too many tries"
	case http.StatusInternalServerError:
		return "Something failed"
	default:
		return "That did not work"
	}
}
