package console

import (
	"encoding/csv"
	"fmt"
	"mime"
	"net/http"
)

// sheet answers with CSV (RFC 4180, with CRLF) while each makes it. An error tells that nothing was sent yet; what fails
// later breaks the connection, so that half a sheet never looks like a whole one.
func sheet(w http.ResponseWriter, fileName string, columns []string, each func(row func(...string) error) error) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	begun := false
	begin := func() error {
		begun = true
		h := w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName}))
		h.Set("Cache-Control", "no-store")
		return c.Write(columns)
	}
	err := each(func(cells ...string) error {
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		return c.Write(cells)
	})
	switch {
	case err != nil && !begun:
		return fmt.Errorf("write %s: %w", fileName, err)
	case err == nil && !begun:
		err = begin()
	}
	if c.Flush(); err != nil || c.Error() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}
