package view

import (
	"context"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// Viewer is who looks at a page, and through which workspace.
type Viewer struct {
	Person      account.Person
	Workspace   workspace.Workspace    // zero on pages of no workspace
	Role        workspace.Role         // in Workspace
	Memberships []workspace.Membership // every workspace of the person, Workspace included, by name
	Session     id.Session
}

type viewerKey struct{}

// ViewerOf is the viewer of the request that ctx belongs to; the zero Viewer for one who is not signed in.
func ViewerOf(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}

func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// signedIn holds for a viewer who is known.
func (v Viewer) SignedIn() bool { return !v.Person.ID.IsZero() }

// caller is the viewer as the use cases know callers: a person may in their workspace what a read_write token may.
func (v Viewer) Caller() auth.Caller {
	return auth.Caller{Person: v.Person.ID, Workspace: v.Workspace.ID, Scope: auth.ReadWrite, Name: v.Person.Name}
}

// path is the address of a page of the viewer's workspace, such as path("/search").
func (v Viewer) Path(rest string) string { return WorkspacePath(v.Workspace.ID, rest) }

func WorkspacePath(ws id.Workspace, rest string) string { return BasePath + "/w/" + ws.String() + rest }
