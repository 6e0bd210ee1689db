package console

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

func (s *server) listLists(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	before, err := id.Parse[id.List](r.URL.Query().Get("cursor"))
	page := &view.Lists{Later: err == nil}
	if page.Lists, err = s.Lists.List(ctx, v.Workspace.ID, before, pageSize+1); err != nil {
		return err
	}
	if len(page.Lists) > pageSize {
		page.Lists = page.Lists[:pageSize]
		page.Next = v.Path("/lists?cursor=" + page.Lists[pageSize-1].ID.String())
	}
	if !page.Later {
		if page.Searches, err = s.Lists.Searches(ctx, v.Workspace.ID); err != nil {
			return err
		}
	}
	return render(w, r, http.StatusOK, view.ListsPage(page))
}

func (s *server) createList(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	l, err := s.Lists.Create(r.Context(), v.Workspace.ID, r.PostFormValue("name"))
	if fault.CodeOf(err) == fault.Validation {
		s.notice(r.Context(), "The list was not created: "+messageOf(err))
		return redirect(w, r, v.Path("/lists"))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

// listIn returns the list in the path.
func (s *server) listIn(r *http.Request) (list.List, error) {
	l, err := id.Parse[id.List](r.PathValue("list_id"))
	if err != nil {
		return list.List{}, notFound()
	}
	return s.Lists.Get(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, l)
}

func (s *server) showList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	return s.renderList(w, r, http.StatusOK, &view.List{List: l})
}

func (s *server) renderList(w http.ResponseWriter, r *http.Request, status int, page *view.List) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 32)
	page.Later = err == nil && after > 0
	numbers, more, err := s.Lists.Numbers(ctx, v.Workspace.ID, page.ID, company.Number(after), pageSize)
	if err != nil {
		return err
	}
	if page.Items, err = s.Search.Items(ctx, v.Workspace.ID, numbers); err != nil {
		return err
	}
	if more {
		page.Next = view.ListPath(ctx, page.ID) + "?after=" + strconv.FormatUint(uint64(numbers[len(numbers)-1]), 10)
	}
	return render(w, r, status, view.ListPage(page))
}

func (s *server) renameList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	_, err = s.Lists.Rename(r.Context(), l.Workspace, l.ID, r.PostFormValue("name"))
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.notice(r.Context(), "The list was not renamed: "+messageOf(err))
	case err != nil:
		return err
	}
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

func (s *server) deleteList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	if err := s.Lists.Delete(r.Context(), l.Workspace, l.ID); err != nil {
		return err
	}
	s.notice(r.Context(), l.Name+" was deleted.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/lists"))
}

// removeFromList removes the selected companies from the list.
func (s *server) removeFromList(w http.ResponseWriter, r *http.Request) error {
	l, err := s.listIn(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	var ids []id.Company
	for _, text := range r.PostForm["company"] {
		if c, err := id.Parse[id.Company](text); err == nil {
			ids = append(ids, c)
		}
	}
	picked, err := s.Search.Pick(r.Context(), search.PickRequest{IDs: ids})
	if err != nil {
		return err
	}
	_, removed, err := s.Lists.Remove(r.Context(), l.Workspace, l.ID, picked.Companies)
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Removed "+view.Plural(r.Context(), removed, "company", "companies")+".")
	return redirect(w, r, view.ListPath(r.Context(), l.ID))
}

// domainsMax is the most domains that can be matched at once.
const domainsMax = 10_000

// addToList matches the domains that were pasted or uploaded, adds the companies, and shows which domains did not match.
// Adding twice has the same effect as once, so the page can be reloaded.
func (s *server) addToList(w http.ResponseWriter, r *http.Request) error {
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
	picked, err := s.Search.Pick(r.Context(), search.PickRequest{Domains: domains})
	if err != nil {
		return err
	}
	report := &view.MatchReport{Given: len(domains), Matched: picked.Companies.Len(), Unmatched: picked.UnmatchedDomains}
	if page.List, report.Added, err = s.Lists.Add(r.Context(), l.Workspace, l.ID, picked.Companies); err != nil {
		return err
	}
	page.Report = report
	return s.renderList(w, r, http.StatusOK, page)
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

// saveAsList adds every match of the search in the address to a list.
func (s *server) saveAsList(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	asked := view.ReadSearchForm(r.URL.Query())
	q, _, err := asked.Parse()
	if err != nil {
		return err
	}
	picked, err := s.Search.Pick(ctx, search.PickRequest{Query: &q})
	if err != nil {
		return err
	}
	l, err := s.listOf(r)
	if fault.CodeOf(err) == fault.Validation {
		s.notice(ctx, "The list was not created: "+messageOf(err))
		return redirect(w, r, asked.At(v.Path("/search")))
	}
	if err != nil {
		return err
	}
	l, added, err := s.Lists.Add(ctx, v.Workspace.ID, l.ID, picked.Companies)
	if err != nil {
		return err
	}
	text := "Added " + view.Plural(ctx, added, "company", "companies") + "."
	if picked.Capped {
		text += " The search matches more. Only the largest " + view.Count(ctx, search.PickMax) + " can be added at once."
	}
	s.notice(ctx, text)
	return redirect(w, r, view.ListPath(ctx, l.ID))
}

// saveSearch saves the search in the address under a name.
func (s *server) saveSearch(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	asked := view.ReadSearchForm(r.URL.Query())
	if _, _, err := asked.Parse(); err != nil {
		return err
	}
	saved, err := s.Lists.SaveSearch(ctx, v.Workspace.ID, list.Search{
		Name: r.PostFormValue("name"), Filters: asked.Filters, SortBy: asked.SortBy, SortOrder: asked.SortOrder,
	})
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.notice(ctx, "The search was not saved: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(ctx, "Saved \""+saved.Name+"\". Find it in Lists.")
	}
	return redirect(w, r, asked.At(v.Path("/search")))
}

func (s *server) deleteSearch(w http.ResponseWriter, r *http.Request) error {
	saved, err := id.Parse[id.Search](r.PathValue("search_id"))
	if err != nil {
		return notFound()
	}
	v := view.ViewerOf(r.Context())
	if err := s.Lists.DeleteSearch(r.Context(), v.Workspace.ID, saved); err != nil {
		return err
	}
	s.notice(r.Context(), "The saved search was deleted.")
	return redirect(w, r, v.Path("/lists"))
}
