package api

import (
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// timingHeader reports how long the parts of a response took (W3C Server Timing); browsers show it.
const timingHeader = "Server-Timing"

// timed is a response with that header.
type timed interface{ serverTiming() string }

// timing returns the header of a search, in milliseconds.
func timing(index, catalog time.Duration) string {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("index;dur=%.3f, catalog;dur=%.3f", ms(index), ms(catalog))
}

func timingParam() *huma.Param {
	return &huma.Param{
		Description: "Time spent in the search index, and reading the companies on the page from the catalog, in milliseconds.",
		Schema:      &huma.Schema{Type: huma.TypeString, Examples: []any{"index;dur=1.234, catalog;dur=0.321"}},
	}
}
