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

// timing is one metric, in milliseconds.
func timing(name string, d time.Duration) string {
	return fmt.Sprintf("%s;dur=%.3f", name, float64(d)/float64(time.Millisecond))
}

func timingParam() *huma.Param {
	return &huma.Param{
		Description: "What of the answer's time the search index took, in milliseconds.",
		Schema:      &huma.Schema{Type: huma.TypeString, Examples: []any{"index;dur=1.234"}},
	}
}
