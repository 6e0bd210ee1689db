package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
)

// ExportPath returns the path of the page of an export.
func ExportPath(ws id.Workspace, e id.Export) string {
	return view.WorkspacePath(ws, "/exports/"+e.String())
}

// OrderPath returns the path of the page of a standing order.
func OrderPath(ws id.Workspace, o id.Order) string {
	return view.WorkspacePath(ws, "/orders/"+o.String())
}

// CompanyPath returns the path of the page of a company, by its id.
func CompanyPath(ws id.Workspace, company string) string {
	return view.WorkspacePath(ws, "/companies/"+company)
}

// JoinPath returns the path of the page that accepts an invitation, for its secret.
func JoinPath(secret string) string { return view.JoinPath(secret) }

// EmailPath returns the path of the page that confirms another email, for the secret of its link.
func EmailPath(secret string) string { return view.EmailPath(secret) }

func (s *server) joinPage(w http.ResponseWriter, r *http.Request) error {
	form, err := s.joinForm(r, r.URL.Query().Get("link"))
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.JoinPage(form))
}

func (s *server) joinForm(r *http.Request, secret string) (view.Join, error) {
	if err := s.limit("link "+s.clientNetwork(r), limitPerLink); err != nil {
		return view.Join{}, err
	}
	i, err := s.People.Invitation(r.Context(), secret)
	if err != nil {
		return view.Join{}, err
	}
	form := view.Join{Link: secret, Invitation: i, Given: membership.Newcomer{Email: i.Email}}
	if !i.Workspace.IsZero() {
		ws, err := s.Workspaces.Get(r.Context(), i.Workspace)
		if err != nil {
			return form, err
		}
		form.Workspace = ws.Name
	}
	if i.Kind == account.InviteFirst {
		if form.There, err = s.Workspaces.List(r.Context()); err != nil {
			return form, err
		}
	}
	if !i.InvitedBy.IsZero() {
		by, err := s.People.Get(r.Context(), i.InvitedBy)
		if err != nil {
			return form, err
		}
		form.InvitedBy = by.Name
	}
	form.Confirm = s.Notifier.MustConfirm(i)
	if i.ByEmail && i.Kind != account.InvitePassword { // who reads the messages to an address may know whether it has an account
		_, err := s.People.ByEmail(r.Context(), i.Email)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return form, err
		}
		form.HasAccount = err == nil
	}
	return form, nil
}

func (s *server) join(w http.ResponseWriter, r *http.Request) error {
	form, err := s.joinForm(r, r.PostFormValue("link"))
	if err != nil {
		return err
	}
	v := view.ViewerOf(r.Context())
	switch {
	case form.Invitation.Kind == account.InvitePassword:
		return s.resetPassword(w, r, form)
	case v.SignedIn():
		ws, err := s.Memberships.AcceptAs(r.Context(), form.Link, v.Person)
		if err != nil {
			return err
		}
		return redirect(w, r, firstPath(ws))
	case form.Confirm:
		return s.confirmInvited(w, r, form)
	}
	form.Given = membership.Newcomer{
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Password: r.PostFormValue("password"),
		Workspace: r.PostFormValue("workspace"),
	}
	made, ws, err := s.Memberships.Accept(r.Context(), form.Link, form.Given)
	if err != nil {
		return s.showJoinErrors(w, r, form, err)
	}
	if err := s.startSession(r.Context(), made.ID, account.ByLink); err != nil {
		return err
	}
	return redirect(w, r, firstPath(ws))
}

// confirmInvited sends the link that creates the account to its address. What is shown does not depend on whether there is one already.
func (s *server) confirmInvited(w http.ResponseWriter, r *http.Request, form view.Join) error {
	form.Given.Email = r.PostFormValue("email")
	if err := s.limit("invited "+s.clientNetwork(r), limitPerForgot); err != nil {
		return err
	}
	if err := s.limit("invited "+form.Invitation.ID.String(), limitPerInvited); err != nil {
		return err
	}
	email, err := s.Notifier.Confirm(r.Context(), form.Invitation, form.Given.Email)
	if err != nil {
		return s.showJoinErrors(w, r, form, err)
	}
	s.notice(r.Context(), "We have sent a link to "+email+". Open it to go on. It may take a few minutes.")
	return redirect(w, r, view.JoinPath(form.Link))
}

func (s *server) resetPassword(w http.ResponseWriter, r *http.Request, form view.Join) error {
	p, err := s.Memberships.ResetPassword(r.Context(), form.Link, r.PostFormValue("password"))
	if err != nil {
		return s.showJoinErrors(w, r, form, err)
	}
	s.notice(r.Context(), "Password set. All your other browsers were signed out.")
	return s.enter(w, r, p, account.ByLink, basePath+"/")
}

func (s *server) showJoinErrors(w http.ResponseWriter, r *http.Request, form view.Join, err error) error {
	if fault.CodeOf(err) != fault.Validation {
		return err
	}
	form.Faults = fieldErrors(err)
	return render(w, r, httpx.Status(fault.KindInvalid), view.JoinPage(form))
}

// firstPath returns the first page of the workspace, or of the console if ws is zero.
func firstPath(ws id.Workspace) string {
	if ws.IsZero() {
		return basePath + "/"
	}
	return view.WorkspacePath(ws, "")
}
