package middleware

import (
	"slices"
	"strings"
)

// wordMax is the length of the longest word of an address below /reconcile. Most of a token is longer.
const wordMax = 10

// LoggedPath returns a request's path without tokens: without parts that contain the beginning of a token, and below /reconcile without
// any that may be a mistyped one.
func LoggedPath(path string) string {
	if !strings.Contains(path, "cornect_") && !strings.Contains(path, "/reconcile/") {
		return path
	}
	parts := strings.Split(path, "/")
	service := slices.Index(parts, "reconcile")
	for i, part := range parts {
		if strings.Contains(part, "cornect_") || service >= 0 && i > service && len(part) > wordMax {
			parts[i] = "{token}"
		}
	}
	return strings.Join(parts, "/")
}
