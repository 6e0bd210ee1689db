package console

import (
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

func (s *server) members(w http.ResponseWriter, r *http.Request) error {
	page := view.Members{Role: workspace.Member}
	if secret, email, ok := strings.Cut(s.revealed(w, r), " "); ok {
		page.Link, page.For = s.PublicURL+view.JoinPath(secret), email
	}
	return s.showMembers(w, r, http.StatusOK, page)
}

func (s *server) showMembers(w http.ResponseWriter, r *http.Request, status int, form view.Members) (err error) {
	v := view.ViewerOf(r.Context())
	form.Mailed = s.Notifier.Enabled()
	if form.Members, err = s.Workspaces.Members(r.Context(), v.Workspace.ID); err != nil {
		return err
	}
	if v.Role.Allows(workspace.Owner) {
		if form.Budgets, err = s.Workspaces.Budgets(r.Context(), v.Workspace.ID); err != nil {
			return err
		}
		if form.Invited, err = s.People.Invited(r.Context(), v.Workspace.ID); err != nil {
			return err
		}
	} else {
		own, err := s.Workspaces.Spending(r.Context(), v.Workspace.ID, v.Person.ID)
		if err != nil {
			return err
		}
		form.Budgets = map[id.Person]budget.Use{v.Person.ID: own}
	}
	return render(w, r, status, view.MembersPage(form))
}

func (s *server) invite(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	form := view.Members{Email: strings.TrimSpace(r.PostFormValue("email")), Role: workspace.Role(r.PostFormValue("role"))}
	if s.Notifier.Enabled() {
		if err := s.limit("invite "+v.Person.ID.String(), limitPerInviter); err != nil {
			return err
		}
	}
	secret, made, err := s.Memberships.InviteMember(r.Context(), v.Workspace.ID, form.Role, form.Email, v.Person.ID)
	if fault.CodeOf(err) == fault.Validation {
		form.Faults = fieldErrors(err)
		return s.showMembers(w, r, httpx.Status(fault.KindInvalid), form)
	}
	if err != nil {
		return err
	}
	return s.reveal(w, r, v.Path("/members"), secret+" "+made.Email)
}

func (s *server) withdraw(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	invitation, err := id.Parse[id.Invitation](r.PathValue("invitation_id"))
	if err != nil {
		return notFound()
	}
	if err := s.People.Withdraw(r.Context(), v.Workspace.ID, invitation); err != nil {
		return err
	}
	s.notice(r.Context(), "Invitation cancelled.")
	return redirect(w, r, v.Path("/members"))
}

func (s *server) setRole(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	who, err := id.Parse[id.Person](r.PathValue("person_id"))
	if err != nil {
		return notFound()
	}
	err = s.Workspaces.SetRole(r.Context(), v.Workspace.ID, who, workspace.Role(r.PostFormValue("role")))
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "The role was not changed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), "Role changed.")
	}
	return redirect(w, r, v.Path("/members"))
}

func (s *server) setMemberBudget(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	who, err := id.Parse[id.Person](r.PathValue("person_id"))
	if err != nil {
		return notFound()
	}
	limits, faults := view.ReadBudget(r.PostFormValue("budget"), r.PostFormValue("budget_month"))
	err = fault.Invalid(faults...)
	if err == nil {
		err = s.Workspaces.SetBudget(r.Context(), v.Workspace.ID, who, limits)
	}
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "The budget was not changed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), "The new budget applies from the next purchase.")
	}
	return redirect(w, r, v.Path("/members"))
}

func (s *server) removeMember(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	who, err := id.Parse[id.Person](r.PathValue("person_id"))
	if err != nil {
		return notFound()
	}
	err = s.Memberships.Leave(r.Context(), v.Workspace.ID, who)
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(r.Context(), "The member was not removed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), "Member removed. Their tokens no longer work.")
	}
	return redirect(w, r, v.Path("/members"))
}

func (s *server) leave(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	err := s.Memberships.Leave(r.Context(), v.Workspace.ID, v.Person.ID)
	if fault.CodeOf(err) == fault.Validation {
		s.warn(r.Context(), "You did not leave: "+messageOf(err))
		return redirect(w, r, v.Path("/members"))
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "You left "+v.Workspace.Name+".")
	return redirect(w, r, basePath+"/workspaces")
}
