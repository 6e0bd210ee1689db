package httpx

import (
	"encoding/csv"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/format"
)

// CSV is a response as CSV (RFC 4180, with CRLF) that is written while its rows are read.
type CSV struct {
	FileName string
	Columns  []string
	Rows     func(row func(cells ...any) error) error // calls row once for every row
}

// Write sends the file. It returns an error only if nothing was sent yet; a later failure aborts the connection, so
// that a truncated file never looks complete.
func (f *CSV) Write(w http.ResponseWriter, status int) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	begun := false
	columns := make([]string, len(f.Columns))
	for i, name := range f.Columns {
		columns[i] = cellText(name)
	}
	begin := func() error {
		begun = true
		h := w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.FileName}))
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		return c.Write(columns)
	}
	record := make([]string, 0, len(f.Columns))
	err := f.Rows(func(cells ...any) error {
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		record = record[:0]
		for _, cell := range cells {
			record = append(record, cellText(cell))
		}
		return c.Write(record)
	})
	switch {
	case err != nil && !begun:
		return fmt.Errorf("write %s: %w", f.FileName, err)
	case err == nil && !begun:
		err = begin()
	}
	if c.Flush(); err != nil || c.Error() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// cellText formats a cell: times as RFC 3339 in UTC, nil as empty, text escaped so that no spreadsheet runs it as a formula.
func cellText(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return format.SafeCell(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	default:
		panic(fmt.Sprintf("a CSV cell cannot hold a %T", cell))
	}
}
