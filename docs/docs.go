// Package docs embeds the documents of this directory for the server's documentation pages. It renders nothing.
package docs

import "embed"

// Files contains the documents in Markdown: reference texts at the top level, the guide in guide, decisions in adr. The
// samples of the guide are in guide/_samples, one file per language. Additions to the reference pages, beyond the OpenAPI
// document, are in guide/_reference.
//
//go:embed *.md guide/*.md guide/_samples guide/_reference adr/*.md
var Files embed.FS
