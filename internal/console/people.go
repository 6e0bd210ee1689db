package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// peoplePage lists the people whose name or email has each of the words.
func (s *server) peoplePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := s.People.List(ctx)
	if err != nil {
		return err
	}
	page := &view.People{Query: strings.TrimSpace(r.URL.Query().Get("query"))}
	words := strings.Fields(text.Fold(page.Query))
	all = slices.DeleteFunc(all, func(p account.Person) bool {
		name := text.Fold(p.Name + " " + p.Email)
		return slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(name, word) })
	})
	page.Found = len(all)
	from, _ := strconv.Atoi(r.URL.Query().Get("from")) // anything else is the first page
	from = min(max(from, 0), len(all))
	page.Later = from > 0
	if page.Next = ""; len(all) > from+pageSize {
		page.Next = page.At(from + pageSize)
	}
	for _, p := range all[from:min(from+pageSize, len(all))] {
		row := view.PersonRow{Person: p}
		if row.Workspaces, err = s.Workspaces.Of(ctx, p.ID); err != nil {
			return err
		}
		page.People = append(page.People, row)
	}
	return render(w, r, http.StatusOK, view.PeoplePage(page))
}

// personIn returns the person of the path. NotFound for one who was removed.
func (s *server) personIn(r *http.Request) (account.Person, error) {
	all, err := s.People.List(r.Context())
	if err != nil {
		return account.Person{}, err
	}
	who, err := id.Parse[id.Person](r.PathValue("person_id"))
	at := slices.IndexFunc(all, func(p account.Person) bool { return p.ID == who })
	if err != nil || at < 0 {
		return account.Person{}, fault.New(fault.NotFound, "There is no such person; they may have been removed.")
	}
	return all[at], nil
}

// personPage shows a person, and what each action on them would end.
func (s *server) personPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := s.personIn(r)
	if err != nil {
		return err
	}
	page := &view.PersonDetails{Person: p}
	if page.Workspaces, err = s.Workspaces.Of(ctx, p.ID); err != nil {
		return err
	}
	if page.Sessions, err = s.Sessions.List(ctx, p.ID); err != nil {
		return err
	}
	for _, ws := range page.Workspaces {
		tokens, err := s.Tokens.List(ctx, ws.ID)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.Owner == p.ID && t.RevokedAt == nil {
				page.Tokens++
			}
		}
	}
	operators, err := s.People.Operators(ctx)
	if err != nil {
		return err
	}
	page.LastOperator = p.Operator && len(operators) == 1
	return render(w, r, http.StatusOK, view.PersonPage(page))
}

// onPerson runs the action on the person of the path, and shows at next what was done, or why it was not. If next is empty, the
// person's page is shown.
func (s *server) onPerson(w http.ResponseWriter, r *http.Request, next string, act func(account.Person) (done string, err error)) error {
	p, err := s.personIn(r)
	if err != nil {
		return err
	}
	done, err := act(p)
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "Nothing was changed: "+messageOf(err))
		next = ""
	case err != nil:
		return err
	default:
		s.notice(r.Context(), done)
	}
	if next == "" {
		next = view.PersonPath(p.ID, "")
	}
	return redirect(w, r, next)
}

func (s *server) setOperator(w http.ResponseWriter, r *http.Request) error {
	operator := r.PostFormValue("operator") == "1"
	next := ""
	if !operator && r.PathValue("person_id") == view.ViewerOf(r.Context()).Person.ID.String() {
		next = basePath + "/account" // they may no longer see this page
	}
	return s.onPerson(w, r, next, func(p account.Person) (string, error) {
		done := p.Name + " is no longer an operator."
		if operator {
			done = p.Name + " is now an operator."
		}
		return done, s.Memberships.SetOperator(r.Context(), p.ID, operator)
	})
}

// answerEmail confirms or declines the email address that a person wants.
func (s *server) answerEmail(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "", func(p account.Person) (string, error) {
		if r.PostFormValue("confirm") == "1" {
			return p.Name + " signs in as " + p.WantedEmail + " from now on.", s.People.ConfirmEmail(r.Context(), p.ID, s.Notifier.Moved)
		}
		return "The email address was not changed.", s.People.DeclineEmail(r.Context(), p.ID)
	})
}

func (s *server) endSessionsOf(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "", func(p account.Person) (string, error) {
		return p.Name + " was signed out of all browsers.", s.Sessions.EndOthers(r.Context(), p.ID, id.Session{})
	})
}

func (s *server) resetTwoFactor(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "", func(p account.Person) (string, error) {
		return p.Name + " signs in without a code from now on.", s.TwoFactor.Reset(r.Context(), p.ID)
	})
}

func (s *server) resetPasskeys(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, "", func(p account.Person) (string, error) {
		return "All passkeys of " + p.Name + " were removed.", s.passkeys.Reset(r.Context(), p.ID)
	})
}

func (s *server) removePerson(w http.ResponseWriter, r *http.Request) error {
	return s.onPerson(w, r, basePath+"/operator/people", func(p account.Person) (string, error) {
		return p.Name + " was removed. Their sessions and tokens have ended.", s.Memberships.Remove(r.Context(), p.ID)
	})
}
