package api

import (
	"cmp"
	"mime"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/httpx"
)

const (
	formatJSON = "json"
	formatCSV  = "csv"
)

// orCSV is embedded in a response that is also available as CSV.
type orCSV struct{ csv *httpx.CSV }

func (o orCSV) asCSV() *httpx.CSV { return o.csv }

// prefersCSV is embedded in the input of an operation whose response is CSV if the Accept header prefers it to JSON.
type prefersCSV struct{ csv bool }

func (p *prefersCSV) negotiate(accept []string) {
	best := 0.0
	for entry := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(entry)
		if err != nil || media != "text/csv" && media != "application/json" {
			continue
		}
		quality, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err == nil && quality > best {
			best, p.csv = quality, media == "text/csv"
		}
	}
}

// csvOf returns the response as CSV, or nil if the client asked for JSON.
func csvOf(out any) *httpx.CSV {
	if o, ok := out.(interface{ asCSV() *httpx.CSV }); ok && !reflect.ValueOf(out).IsNil() {
		return o.asCSV()
	}
	return nil
}

// csvContent documents that responses of the type are also available as CSV.
func csvContent(out reflect.Type, content map[string]*huma.MediaType) {
	if out.Implements(reflect.TypeFor[interface{ asCSV() *httpx.CSV }]()) {
		content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
}
