package reconcile

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

//go:embed preview.html
var previewHTML string

var previewPage = template.Must(template.New("preview").Parse(previewHTML))

// previewed are the fields that a preview shows, in its order.
var previewed = []string{"domain", "city", "state", "country", "industries", "employee_count", "founded_year", "description"}

// listedMax is how many values of a list a preview shows.
const listedMax = 3

type previewView struct {
	Name, URL string
	Unlocked  bool
	Facts     []fact
	Locked    string // the labels of the locked fields that it would show
}

type fact struct{ Label, Value string }

// preview shows a company in a small page, which other sites may frame.
func (s *server) preview(w http.ResponseWriter, r *http.Request, caller auth.Caller) error {
	given := r.URL.Query().Get("id")
	if given == "" {
		return invalid("id", "is missing: send the id of a company")
	}
	of, err := id.Parse[id.Company](given)
	if err != nil {
		return fault.New(fault.NotFound, "There is no company with this id.")
	}
	items, err := s.Search.ByIDs(r.Context(), caller, []id.Company{of}, false)
	if err != nil {
		return fmt.Errorf("preview: %w", err)
	}
	c, ok := items[of]
	if !ok {
		return fault.New(fault.NotFound, "There is no company with the id %s.", of)
	}
	view := previewView{Name: c.Name, Unlocked: c.Unlocked, URL: s.PublicURL + s.CompanyPath(caller.Workspace, of.String())}
	var locked []string
	for _, name := range previewed {
		f := company.FieldNamed(name)
		switch {
		case c.Locked.Has(name):
			locked = append(locked, f.Label)
		case f.Kind == company.KindInteger && *f.Int(c.Company) != nil:
			view.Facts = append(view.Facts, fact{f.Label, strconv.FormatInt(**f.Int(c.Company), 10)})
		case f.Known(c.Company):
			values := f.Texts(c.Company)
			view.Facts = append(view.Facts, fact{f.Label, strings.Join(values[:min(len(values), listedMax)], ", ")})
		}
	}
	view.Locked = strings.Join(locked, ", ")
	var page bytes.Buffer
	if err := previewPage.Execute(&page, view); err != nil {
		return fmt.Errorf("preview: %w", err)
	}
	if err := s.tellDaily(w, r, caller); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
	_, _ = w.Write(page.Bytes()) // if the client is gone, there is nobody to report to
	return nil
}
