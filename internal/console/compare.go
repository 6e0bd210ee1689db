package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// comparedBytesMax is the length of a set above which the page does not compare it: each region has three links that name every set.
const comparedBytesMax = 600

// compareSets shows the regions of two or three sets with their prices. A set is given as an address writes it or by its name, which
// leads to the address that has the set itself.
func (s *server) compareSets(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	stored, err := s.storedSets(ctx)
	if err != nil {
		return err
	}
	page, named := comparedIn(params, stored)
	if named && len(page.Problems) == 0 {
		return redirect(w, r, page.At(view.ViewerOf(ctx).Path("/compare")))
	}
	if err := s.compare(r, page); err != nil {
		return err
	}
	page.Offer(stored)
	return render(w, r, http.StatusOK, view.ComparePage(page))
}

// compare counts the regions of the sets, unless there are problems.
func (s *server) compare(r *http.Request, page *view.Compare) error {
	ctx := r.Context()
	all := view.SearchForm{Filters: query.Filters{In: page.Refs()}}
	if _, err := s.nameSets(ctx, &all); err != nil {
		return err
	}
	page.SetNames(all.SetNames)
	queries, err := search.ParseCompared("set", all.In)
	if gone := page.Deleted(); err == nil && len(gone) > 0 {
		err = fault.Invalid(gone...)
	}
	if err == nil && len(all.In) > 1 && len(page.Problems) == 0 {
		page.Found, err = s.Search.Compare(ctx, view.ViewerOf(ctx).Caller(), queries)
	}
	if problems := s.problemsOf(ctx, &all, err); len(problems) > 0 {
		page.Problems, err = append(page.Problems, inLetters(problems)...), nil
	}
	return err
}

var comparedField = regexp.MustCompile(`^set\[(\d)\]`)

// inLetters labels the problems of sets as the page does.
func inLetters(problems []view.Problem) []view.Problem {
	for i, p := range problems {
		if m := comparedField.FindStringSubmatch(p.Field); m != nil {
			n, _ := strconv.Atoi(m[1])
			problems[i].Label = view.SetLabel(n)
		}
	}
	return problems
}

// comparedIn reads the sets that an address compares: the search in it, if it comes from the search page, and those of the parameter set.
// named reports whether one of them is given by its name.
func comparedIn(params url.Values, stored []view.SetGroup) (page *view.Compare, named bool) {
	asked := view.ReadSearchForm(params, "set")
	given := slices.DeleteFunc(slices.Clone(params["set"]), func(set string) bool { return strings.TrimSpace(set) == "" })
	page = &view.Compare{}
	_, _, wrong := asked.Parse()
	page.Problems = asked.Problems(wrong)
	if asked.HasFilters() || asked.Show != search.ShowAll || len(given) == 0 {
		given = append([]string{view.SetText(asked.AsSet())}, given...)
	}
	if len(given) > view.ComparedMax {
		page.Problems = append(page.Problems, view.Problem{
			Label: "Sets", Message: fmt.Sprintf("there are %d, but at most %d can be compared; choose again", len(given), view.ComparedMax),
		})
		given = given[:view.ComparedMax]
	}
	for i, set := range given {
		if ref, ok := view.ParseSetText(set); ok {
			if len(set) > comparedBytesMax {
				page.Problems = append(page.Problems, view.Problem{
					Label: view.SetLabel(i), Message: "it is too long to compare here; save the search, or put the companies on a list, then choose that",
				})
			}
			page.Sets = append(page.Sets, view.ComparedSet{Ref: ref, Text: set})
			continue
		}
		found := setsCalled(stored, set)
		if len(found) == 1 {
			ref, _ := view.ParseSetText(found[0].Text)
			page.Sets, named = append(page.Sets, view.ComparedSet{Ref: ref, Text: found[0].Text}), true
			continue
		}
		page.Sets = append(page.Sets, view.ComparedSet{Typed: set, Choices: found})
		message := "no list, saved search or export is called “" + text.Short(set) + "”; type a part of its name"
		if len(found) > 0 {
			message = strconv.Itoa(len(found)) + " sets are called “" + text.Short(set) + "”; choose one below"
		}
		page.Problems = append(page.Problems, view.Problem{Label: view.SetLabel(i), Message: message})
	}
	return page, named
}

// setsCalled returns the sets with the label, else those with the name, else those whose names contain it.
func setsCalled(stored []view.SetGroup, typed string) (found []view.SetChoice) {
	folded := text.Fold(strings.TrimSpace(typed))
	for _, is := range []func(view.SetChoice) bool{
		func(c view.SetChoice) bool { return text.Fold(c.Label()) == folded },
		func(c view.SetChoice) bool { return text.Fold(c.Name) == folded },
		func(c view.SetChoice) bool { return strings.Contains(text.Fold(c.Name), folded) },
	} {
		for _, g := range stored {
			for _, c := range g.Sets {
				if is(c) {
					found = append(found, c)
				}
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}
