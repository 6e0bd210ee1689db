package view

import (
	"context"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// Viewer is the person who looks at a page, and the workspace of the page.
type Viewer struct {
	Person      account.Person
	Workspace   workspace.Workspace    // zero on a page outside a workspace
	Role        workspace.Role         // in Workspace
	Memberships []workspace.Membership // every workspace of the person, by name
	Session     id.Session

	Home    workspace.Membership // the workspace in the navigation: the page's own, or the one that was opened last; zero for none
	Balance *int64               // of Home; nil if it is not known
}

type viewerKey struct{}

// ViewerOf returns the viewer of the request. It is zero if no one is signed in.
func ViewerOf(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}

// WithViewer returns a context in which ViewerOf returns v.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

type operatorsKey struct{}

// WithOperators lets pages ask who can grant credits. They ask only when credits are missing.
func WithOperators(ctx context.Context, ask func() []account.Person) context.Context {
	return context.WithValue(ctx, operatorsKey{}, ask)
}

// operatorsMax is how many operators a page names.
const operatorsMax = 3

// operatorsOf returns the operators to name; none if they are not known.
func operatorsOf(ctx context.Context) []account.Person {
	ask, ok := ctx.Value(operatorsKey{}).(func() []account.Person)
	if !ok {
		return nil
	}
	all := ask()
	return all[:min(len(all), operatorsMax)]
}

// moreCreditsPath returns the address of the page where credits are granted, or of the one that says whom to ask.
func moreCreditsPath(v Viewer) string {
	if v.Person.Operator {
		return GrantPath(v.Home.ID)
	}
	return WorkspacePath(v.Home.ID, "/credits")
}

// SignedIn reports whether the viewer is signed in.
func (v Viewer) SignedIn() bool { return !v.Person.ID.IsZero() }

// Caller returns the viewer as a caller of the use cases. A person may do in their workspace what a read_write token may.
func (v Viewer) Caller() auth.Caller {
	return v.callerIn(v.Workspace)
}

// HomeCaller is Caller in the workspace of the navigation.
func (v Viewer) HomeCaller() auth.Caller { return v.callerIn(v.Home.Workspace) }

func (v Viewer) callerIn(ws workspace.Workspace) auth.Caller {
	return auth.Caller{
		Person: v.Person.ID, Workspace: ws.ID, Scope: auth.ReadWrite, Name: v.Person.Name, Wall: &auth.Wall{Visible: ws.VisibleFields, WorkspaceDaily: ws.DailyCompanies},
	}
}

// Path returns the address of a page of the workspace, such as Path("/search").
func (v Viewer) Path(rest string) string { return WorkspacePath(v.Workspace.ID, rest) }

// WorkspacePath returns the address of a page of the workspace.
func WorkspacePath(ws id.Workspace, rest string) string { return BasePath + "/w/" + ws.String() + rest }

// docsPath is the address of the documentation, quickstartPath that of its first steps.
const (
	docsPath       = "/docs"
	quickstartPath = docsPath + "/quickstart"
	openRefinePath = docsPath + "/openrefine"
)
