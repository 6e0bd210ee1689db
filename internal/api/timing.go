package api

import (
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// timingHeader tells what an answer took, as browsers' tools show it (W3C Server Timing).
const timingHeader = "Server-Timing"

// timed is an answer that tells it.
type timed interface{ serverTiming() string }

// timing is the metrics of a search, in milliseconds.
func timing(index, catalog time.Duration) string {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("index;dur=%.3f, catalog;dur=%.3f", ms(index), ms(catalog))
}

func timingParam() *huma.Param {
	return &huma.Param{
		Description: "What of the answer's time the search index took, and the reading of the companies shown, in milliseconds.",
		Schema:      &huma.Schema{Type: huma.TypeString, Examples: []any{"index;dur=1.234, catalog;dur=0.321"}},
	}
}
