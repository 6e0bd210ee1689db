package console

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

// domainsMax is the most domains that can be matched at once.
const domainsMax = 10_000

// matchForList matches the domains that were pasted or uploaded, and adds to the list the company that each of them means.
func (s *server) matchForList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	domains, err := domainsOf(r)
	if err != nil {
		return err
	}
	page := &view.List{List: l}
	switch {
	case len(domains) == 0:
		page.Faults = map[string]string{"domains": "Paste at least one domain, or choose a file."}
		return s.renderList(w, r, http.StatusUnprocessableEntity, page)
	case len(domains) > domainsMax:
		page.Faults = map[string]string{"domains": "At most 10,000 domains can be added at once. Split the file."}
		return s.renderList(w, r, http.StatusUnprocessableEntity, page)
	}
	matches, unmatched, err := s.Search.MatchDomains(r.Context(), domains)
	if err != nil {
		return err
	}
	m := list.Match{Given: len(domains), Matched: len(matches), Unmatched: unmatched}
	var companies company.Set
	for _, match := range matches {
		companies = companies.Or(company.SetOf(match.Best))
		if len(match.Others) > 0 {
			m.Doubles = append(m.Doubles, list.Double(match))
		}
	}
	if m, err = s.Lists.AddMatch(r.Context(), l.Workspace, l.ID, companies, m); err != nil {
		return err
	}
	return redirect(w, r, view.MatchPath(r.Context(), m))
}

// domainsOf reads the domains in the form's text and file. They are separated by lines, commas, semicolons, tabs or spaces.
// Words without a dot are skipped, so that a CSV header is not taken for a domain.
func domainsOf(r *http.Request) ([]string, error) {
	if err := r.ParseMultipartForm(bodySizeBytesMax); err != nil && err != http.ErrNotMultipart { //nolint:errorlint // it is never wrapped
		return nil, err
	}
	readers := []io.Reader{strings.NewReader(r.PostFormValue("domains"))}
	if r.MultipartForm != nil && len(r.MultipartForm.File["file"]) > 0 {
		f, err := r.MultipartForm.File["file"][0].Open()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		readers = append(readers, f)
	}
	var domains []string
	for i, reader := range readers {
		if i > 0 {
			reader = io.MultiReader(strings.NewReader("\n"), reader)
		}
		lines := bufio.NewScanner(reader)
		lines.Buffer(make([]byte, 0, 64<<10), bodySizeBytesMax)
		for lines.Scan() {
			for _, word := range strings.FieldsFunc(lines.Text(), func(c rune) bool { return strings.ContainsRune(",; \t\"'\ufeff", c) }) {
				if strings.Contains(word, ".") {
					domains = append(domains, word)
				}
			}
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return view.Distinct(domains), nil
}

// matchIn returns the match in the path, and its list.
func (s *server) matchIn(r *http.Request) (list.List, list.Match, error) {
	l, err := s.listIn(r)
	if err != nil {
		return l, list.Match{}, err
	}
	match, err := id.Parse[id.Match](r.PathValue("match_id"))
	if err != nil {
		return l, list.Match{}, notFound()
	}
	m, err := s.Lists.Match(r.Context(), l.Workspace, l.ID, match)
	return l, m, err
}

// showMatch shows the list with what matching gave, or what matched nothing as CSV.
func (s *server) showMatch(w http.ResponseWriter, r *http.Request) error {
	l, m, err := s.matchIn(r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("format") == string(format.CSV) {
		file := httpx.CSV{FileName: "unmatched.csv", Columns: []string{"domain"}, Rows: rowsOf(m.Unmatched)}
		return file.Write(w, http.StatusOK)
	}
	report, err := s.matchReport(r.Context(), l, m)
	if err != nil {
		return err
	}
	return s.renderList(w, r, http.StatusOK, &view.List{List: l, Report: report})
}

func rowsOf(texts []string) func(row func(cells ...any) error) error {
	return func(row func(cells ...any) error) error {
		for _, t := range texts {
			if err := row(t); err != nil {
				return err
			}
		}
		return nil
	}
}

// matchReport adds to a match the companies of its first domains that have several, and which of them are on the list.
func (s *server) matchReport(ctx context.Context, l list.List, m list.Match) (*view.MatchReport, error) {
	report := &view.MatchReport{Match: m}
	shown := m.Doubles[:min(len(m.Doubles), view.DoublesMax)]
	if len(shown) == 0 {
		return report, nil
	}
	on, err := s.Lists.Companies(ctx, l.Workspace, l.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range shown {
		numbers := append([]company.Number{d.Best}, d.Others...)
		items, err := s.Search.Items(ctx, l.Workspace, numbers[:min(len(numbers), view.DoubleCompaniesMax)])
		if err != nil {
			return nil, err
		}
		double := view.Double{Domain: d.Domain, More: max(0, len(numbers)-view.DoubleCompaniesMax)}
		for _, item := range items {
			double.Companies = append(double.Companies, view.Choice{Item: item, On: on.Has(item.Number)})
		}
		report.Doubles = append(report.Doubles, double)
	}
	return report, nil
}

// chooseDoubles puts the ticked companies of domains that have several on the list, and takes the others off.
func (s *server) chooseDoubles(w http.ResponseWriter, r *http.Request) error {
	l, m, err := s.matchIn(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	var offered company.Set
	for _, d := range m.Doubles[:min(len(m.Doubles), view.DoublesMax)] {
		numbers := append([]company.Number{d.Best}, d.Others...)
		offered = offered.Or(company.SetOf(numbers[:min(len(numbers), view.DoubleCompaniesMax)]...))
	}
	picked, err := s.Search.Pick(r.Context(), search.PickRequest{IDs: idsIn(r.PostForm["company"])})
	if err != nil {
		return err
	}
	chosen := picked.Companies.And(offered)
	if _, _, err := s.Lists.Remove(r.Context(), l.Workspace, l.ID, offered.Minus(chosen)); err != nil {
		return err
	}
	if _, _, err := s.Lists.Add(r.Context(), l.Workspace, l.ID, chosen); err != nil {
		return err
	}
	s.notice(r.Context(), "The list has the companies that you chose.")
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

// idsIn returns the ids among the values of a form.
func idsIn(values []string) (ids []id.Company) {
	for _, text := range values {
		if c, err := id.Parse[id.Company](text); err == nil {
			ids = append(ids, c)
		}
	}
	return slices.Clip(ids)
}
