package console

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// domainsMax is the most domains that can be matched at once.
const domainsMax = 10_000

// matchForList matches the domains that were pasted or uploaded, and adds to the list the company that each of them means.
func (s *server) matchForList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	given, err := readDomains(r)
	if faults := fieldErrors(err); faults != nil {
		return s.renderList(w, r, http.StatusUnprocessableEntity, &view.List{List: l, Faults: faults, Typed: r.PostFormValue("domains")})
	}
	if err != nil {
		return err
	}
	matches, unmatched, err := s.Search.MatchDomains(r.Context(), view.ViewerOf(r.Context()).Caller(), given.domains)
	if err != nil {
		return err
	}
	m := given.match
	m.Given, m.Matched = len(given.domains), len(matches)
	for _, domain := range unmatched {
		m.Unmatched = append(m.Unmatched, list.Miss{Line: given.line[domain], Text: domain})
	}
	slices.SortStableFunc(m.Unmatched, func(a, b list.Miss) int { return cmp.Compare(a.Line, b.Line) })
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

// givenDomains are the different domains in a form, in their order.
type givenDomains struct {
	domains []string
	line    map[string]int // the first line of each
	match   list.Match     // the name of the file, how it was read, and the lines without a domain
}

func (g *givenDomains) add(line int, domain string) {
	key, ok := company.CleanDomain(domain)
	if !ok {
		key = domain
	}
	if _, known := g.line[key]; !known {
		g.line[key] = line
		g.domains = append(g.domains, key)
	}
}

func (g *givenDomains) miss(line int, text string) {
	g.match.Unmatched = append(g.match.Unmatched, list.Miss{Line: line, Text: text})
}

// readDomains reads the domains in the form's text or file. Every error that the person can fix is about the field domains or
// file.
func readDomains(r *http.Request) (givenDomains, error) {
	g := givenDomains{line: map[string]int{}}
	bad := func(field, message string) (givenDomains, error) {
		return g, fault.Invalid(fault.FieldError{Field: field, Message: message})
	}
	if err := r.ParseMultipartForm(bodySizeBytesMax); err != nil && err != http.ErrNotMultipart { //nolint:errorlint // it is never wrapped
		return g, err
	}
	if err := g.readText(strings.NewReader(r.PostFormValue("domains"))); err != nil {
		return bad("domains", "A line is too long. Put one domain on a line.")
	}
	if r.MultipartForm != nil && len(r.MultipartForm.File["file"]) > 0 {
		header := r.MultipartForm.File["file"][0]
		f, err := header.Open()
		if err != nil {
			return g, err
		}
		defer f.Close()
		if err := g.readFile(header.Filename, f); err != nil {
			return bad("file", "The file was not read: "+err.Error()+".")
		}
	}
	switch {
	case len(g.domains) > domainsMax:
		return bad("domains", "At most 10,000 domains can be added at once. Split the file.")
	case len(g.domains) == 0 && g.match.File != "":
		return bad("file", "There is no domain in the file.")
	case len(g.domains) == 0:
		return bad("domains", "Paste at least one domain, such as acme.com, or choose a file.")
	}
	return g, nil
}

// readText reads domains that are separated by lines, commas, semicolons, tabs or spaces. Other words beside a domain are
// ignored; a line without one is a miss.
func (g *givenDomains) readText(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), bodySizeBytesMax)
	for n := 1; lines.Scan(); n++ {
		found := false
		for _, word := range strings.FieldsFunc(lines.Text(), func(c rune) bool { return strings.ContainsRune(",; \t\"'\ufeff", c) }) {
			if strings.Contains(word, ".") {
				g.add(n, word)
				found = true
			}
		}
		if text := strings.TrimSpace(lines.Text()); !found && text != "" {
			g.miss(n, text)
		}
	}
	return lines.Err()
}

// readFile reads the domains of a table, such as a CSV file or a workbook, with the readers of imports, or those of a text.
func (g *givenDomains) readFile(name string, in io.Reader) error {
	g.match.File = text.Short(name)
	switch strings.ToLower(path.Ext(name)) {
	case ".txt", ".text", ".list", "":
		return g.readText(in)
	}
	rows, notices, err := importer.ReadDomains(name, in, rowsMax)
	if err != nil {
		return err
	}
	g.match.Notices = notices
	if len(rows) == rowsMax {
		g.match.Notices = append(g.match.Notices, "has more than 20,000 rows, of which the first ones were read")
	}
	for _, row := range rows {
		if row.Domain == "" {
			g.miss(row.Line, text.Start(row.Text, missLengthMax))
		} else {
			g.add(row.Line, row.Domain)
		}
	}
	return nil
}

// The most rows of a file that are read, and the most characters of a row that has no domain.
const (
	rowsMax       = 20_000
	missLengthMax = 300
)

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
		file := httpx.CSV{FileName: "unmatched.csv", Columns: []string{"line", "unmatched"}, Rows: rowsOf(m.Unmatched)}
		return file.Write(w, http.StatusOK)
	}
	report, err := s.matchReport(r.Context(), l, m)
	if err != nil {
		return err
	}
	return s.renderList(w, r, http.StatusOK, &view.List{List: l, Report: report})
}

func rowsOf(missed []list.Miss) func(row func(cells ...any) error) error {
	return func(row func(cells ...any) error) error {
		for _, m := range missed {
			if err := row(m.Line, m.Text); err != nil {
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
		items, err := s.Search.Items(ctx, view.ViewerOf(ctx).Caller(), numbers[:min(len(numbers), view.DoubleCompaniesMax)])
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
	picked, err := s.Search.Pick(r.Context(), view.ViewerOf(r.Context()).Caller(), search.PickRequest{IDs: idsIn(r.PostForm["company"])})
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
	for _, value := range values {
		if c, err := id.Parse[id.Company](value); err == nil {
			ids = append(ids, c)
		}
	}
	return slices.Clip(ids)
}
