package api

import (
	"reflect"

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
