// Package docs holds the documents of this directory, for the server to show them.
// It renders nothing.
package docs

import "embed"

// Files are the documents in Markdown: reference texts at the top, the guide in guide, decisions in adr. The samples
// of the guide lie in guide/_samples, one file a language; what pages of the reference say beyond the OpenAPI document
// in guide/_reference.
//
//go:embed *.md guide/*.md guide/_samples guide/_reference adr/*.md
var Files embed.FS
