package api

import (
	"encoding/csv"
	"fmt"
	"mime"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

const (
	formatJSON = "json"
	formatCSV  = "csv"

	csvType = "text/csv; charset=utf-8"
)

// Sheet is an answer as CSV (RFC 4180, with CRLF) that is sent while it is made.
type Sheet struct {
	fileName string
	columns  []string
	each     func(row func(cells ...string) error) error // calls row for every row
}

// orSheet is embedded in an answer that a client may have as CSV instead.
type orSheet struct{ csv *Sheet }

func (o orSheet) asSheet() *Sheet { return o.csv }

// sheetOf is the answer as CSV, if the client asked for that.
func sheetOf(out any) *Sheet {
	if s, ok := out.(interface{ asSheet() *Sheet }); ok && !reflect.ValueOf(out).IsNil() {
		return s.asSheet()
	}
	return nil
}

// Write answers with the sheet. An error tells that nothing was sent yet; what fails later breaks the connection, so
// that half a sheet never looks like a whole one.
func (s *Sheet) Write(w http.ResponseWriter, status int) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	begun := false
	begin := func() error {
		begun = true
		h := w.Header()
		h.Set("Content-Type", csvType)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.fileName}))
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		return c.Write(s.columns)
	}
	err := s.each(func(cells ...string) error {
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		return c.Write(cells)
	})
	switch {
	case err != nil && !begun:
		return fmt.Errorf("write %s: %w", s.fileName, err)
	case err == nil && !begun:
		err = begin()
	}
	if c.Flush(); err != nil || c.Error() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// sheetContent documents that an answer of the type may be had as CSV.
func sheetContent(out reflect.Type, content map[string]*huma.MediaType) {
	if out.Implements(reflect.TypeFor[interface{ asSheet() *Sheet }]()) {
		content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
}
