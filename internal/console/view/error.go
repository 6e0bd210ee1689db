package view

import (
	"net/http"
)

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
