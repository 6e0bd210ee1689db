package console

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// newMatch shows the form in which a list of companies is pasted or uploaded.
func (s *server) newMatch(w http.ResponseWriter, r *http.Request) error {
	return render(w, r, http.StatusOK, view.NewMatchPage(&view.NewMatch{}))
}

// matchList matches a list and leads to the page of what it found.
func (s *server) matchList(w http.ResponseWriter, r *http.Request) error {
	rows, lines, notices, err := readList(r)
	var found *search.MatchResult
	if err == nil {
		found, err = s.Search.Match(r.Context(), view.ViewerOf(r.Context()).Caller(), rows)
	}
	if faults := fieldErrors(err); faults != nil {
		return render(w, r, http.StatusUnprocessableEntity, view.NewMatchPage(&view.NewMatch{Faults: faults, Typed: r.PostFormValue("rows")}))
	}
	if err != nil {
		return err
	}
	if err := s.keepShown(r, found.ID, view.ShownOf(found, rows, lines, notices)); err != nil {
		return err
	}
	return redirect(w, r, view.MatchResultPath(r.Context(), found.ID))
}

// keepShown keeps what the page of a match shows of its rows, so that it can be opened again until the match expires.
func (s *server) keepShown(r *http.Request, match id.MatchResult, shown view.ShownRows) error {
	kept, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	return s.Search.Matches.Show(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, match, kept)
}

// showMatchResult shows what a list matched.
func (s *server) showMatchResult(w http.ResponseWriter, r *http.Request) error {
	match, err := matchResultIn(r)
	if err != nil {
		return err
	}
	ctx, caller := r.Context(), view.ViewerOf(r.Context()).Caller()
	found, err := s.Search.Matched(ctx, caller, match)
	if err != nil {
		return err
	}
	page, numbers, err := view.MatchOf(found, r.URL.Query())
	if err != nil {
		return err
	}
	items, err := s.Search.Items(ctx, caller, numbers)
	if err != nil {
		return err
	}
	page.SetCompanies(items)
	return render(w, r, http.StatusOK, view.MatchPage(page))
}

func matchResultIn(r *http.Request) (id.MatchResult, error) {
	match, err := id.Parse[id.MatchResult](r.PathValue("match_id"))
	if err != nil {
		return match, notFound()
	}
	return match, nil
}

// chooseMatches adds the companies that a person has chosen for ambiguous rows. The others can still be decided.
func (s *server) chooseMatches(w http.ResponseWriter, r *http.Request) error {
	match, err := matchResultIn(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	ctx, caller := r.Context(), view.ViewerOf(r.Context()).Caller()
	found, err := s.Search.Matched(ctx, caller, match)
	if err != nil {
		return err
	}
	shown, err := view.ShownIn(found)
	if err != nil {
		return err
	}
	back := view.MatchResultPath(ctx, match) + view.MatchPart("undecided", r.URL.Query().Get("undecided"))
	chosen, err := s.decide(r, &shown)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		s.warn(ctx, "Nothing was added, because no company was chosen.")
		return redirect(w, r, back)
	}
	if err := s.Search.Choose(ctx, caller, match, chosen); err != nil {
		return err
	}
	if err := s.keepShown(r, match, shown); err != nil {
		return err
	}
	s.notice(ctx, "Added "+view.Companies(ctx, len(chosen))+" that you chose.")
	return redirect(w, r, back)
}

// decide moves the rows for which the form has one of their candidates from the ambiguous to the matched ones, and returns the choices.
func (s *server) decide(r *http.Request, shown *view.ShownRows) (chosen []search.Choice, err error) {
	asked := map[int]id.Company{}
	var numbers []company.Number
	for _, row := range shown.Ambiguous {
		if c, err := id.Parse[id.Company](r.PostForm.Get(row.Field())); err == nil {
			asked[row.Row], numbers = c, append(numbers, row.Numbers...)
		}
	}
	items, err := s.Search.Items(r.Context(), view.ViewerOf(r.Context()).Caller(), numbers)
	if err != nil {
		return nil, err
	}
	known := map[id.Company]company.Number{}
	for _, item := range items {
		known[item.ID] = item.Number
	}
	for _, row := range slices.Clone(shown.Ambiguous) {
		c, ok := asked[row.Row]
		if !ok || !slices.Contains(row.Numbers, known[c]) {
			continue
		}
		chosen = append(chosen, search.Choice{Company: c, Key: row.Key})
		shown.Choose(row, known[c])
	}
	return chosen, nil
}

// listMatch puts the companies of a match on a new list.
func (s *server) listMatch(w http.ResponseWriter, r *http.Request) error {
	match, err := matchResultIn(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	picked, err := s.Search.Pick(ctx, v.Caller(), search.PickRequest{Match: match})
	if err != nil {
		return err
	}
	l, err := s.Lists.Create(ctx, v.Workspace.ID, r.PostFormValue("name"))
	if fault.CodeOf(err) == fault.Validation {
		s.warn(ctx, "The list was not created: "+messageOf(err))
		return redirect(w, r, view.MatchResultPath(ctx, match))
	}
	if err != nil {
		return err
	}
	if _, _, err := s.Lists.Add(ctx, v.Workspace.ID, l.ID, picked.Companies); err != nil {
		return err
	}
	return redirect(w, r, view.ListPath(ctx, l.ID))
}

// readList reads the rows that were pasted or uploaded. Every error that the person can fix is about the field rows or file.
// lines are those of the rows in the list.
func readList(r *http.Request) (rows []search.MatchRow, lines []int, notices []string, err error) {
	bad := func(field, message string) ([]search.MatchRow, []int, []string, error) {
		return nil, nil, nil, fault.Invalid(fault.FieldError{Field: field, Message: message})
	}
	if err := r.ParseMultipartForm(bodySizeBytesMax); err != nil && err != http.ErrNotMultipart { //nolint:errorlint // it is never wrapped
		return nil, nil, nil, err
	}
	var read []importer.ListRow
	field := "rows"
	switch pasted := strings.TrimSpace(r.PostFormValue("rows")); {
	case r.MultipartForm != nil && len(r.MultipartForm.File["file"]) > 0:
		field = "file"
		header := r.MultipartForm.File["file"][0]
		f, err := header.Open()
		if err != nil {
			return nil, nil, nil, err
		}
		defer f.Close()
		if read, notices, err = importer.ReadListRows(header.Filename, f, search.MatchRowsMax+1); err != nil {
			return bad(field, notRead("file was", err))
		}
	case pasted == "":
		return bad(field, "Paste at least one company, or choose a file.")
	case isTable(pasted):
		if read, notices, err = importer.ReadListRows("pasted.csv", strings.NewReader(pasted), search.MatchRowsMax+1); err != nil {
			return bad(field, notRead("rows were", err))
		}
		if header, _, _ := strings.Cut(pasted, "\n"); !strings.ContainsAny(header, "\t,;") { // it could be a company
			notices = append(notices, "has a first line that was read as the header: “"+text.Short(strings.TrimSpace(header))+"”")
		}
	default:
		read = linesOf(pasted)
	}
	if len(read) > search.MatchRowsMax {
		return bad(field, "At most 10,000 rows can be matched at once. Split the list.")
	}
	nameless := 0
	for _, l := range read {
		if l.ID+l.Name+l.Domain+l.Website+l.LinkedIn == "" {
			nameless++ // it has a place alone, or nothing
			continue
		}
		lines = append(lines, l.Line)
		rows = append(rows, search.MatchRow{
			Key: text.Start(l.ID, 1000), ID: l.ID, Name: l.Name, Domain: l.Domain, Website: l.Website, LinkedIn: l.LinkedIn, Country: l.Country, City: l.City,
		})
	}
	if len(rows) == 0 {
		return bad(field, "There is no company in the list.")
	}
	if nameless > 0 {
		notices = append(notices, "has "+view.Plural(r.Context(), nameless, "row", "rows")+" with nothing to match by, left out")
	}
	return rows, lines, notices, nil
}

// isTable reports whether pasted text has columns: it was copied from a sheet, or its first line names them. A single line is never
// a header.
func isTable(pasted string) bool {
	first, rest, _ := strings.Cut(pasted, "\n")
	return strings.Contains(first, "\t") || rest != "" && importer.IsListHeader(first)
}

// notRead says why a table was not read. Its subject is the beginning of the sentence.
func notRead(subject string, err error) string {
	if errors.Is(err, importer.ErrNoColumns) {
		return "No column has names, domains, websites, LinkedIn pages or ids of companies. Give the first row a header, such as name,country,domain."
	}
	return "The " + subject + " not read: " + err.Error() + "."
}

// linesOf reads lines of one value each: a page on LinkedIn, a domain or a name, which may have a comma. A line may also have several
// domains.
func linesOf(pasted string) (rows []importer.ListRow) {
	lines := bufio.NewScanner(strings.NewReader(pasted))
	lines.Buffer(make([]byte, 0, 64<<10), bodySizeBytesMax)
	for n := 1; lines.Scan(); n++ {
		value := strings.TrimSpace(lines.Text())
		if value == "" {
			continue
		}
		if several := domainsIn(value); len(several) > 1 {
			for _, domain := range several {
				rows = append(rows, importer.ListRow{Line: n, Domain: domain})
			}
			continue
		}
		row := importer.ListRow{Line: n}
		switch {
		case strings.Contains(value, "linkedin.com/"):
			row.LinkedIn = value
		case strings.Contains(value, ".") && !strings.Contains(value, " "):
			row.Domain = value
		default:
			row.Name = value
		}
		rows = append(rows, row)
	}
	return rows
}

// domainsIn returns the domains of a line that has nothing else; nil for any other line.
func domainsIn(line string) []string {
	parts := strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
	for _, part := range parts {
		if _, ok := company.CleanDomain(part); !ok || !strings.Contains(part, ".") {
			return nil
		}
	}
	return parts
}
