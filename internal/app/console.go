package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/console"
)

// console builds the pages; ctx ends when the server begins to stop.
func (a *App) console(ctx context.Context) (http.Handler, error) {
	return console.New(console.Deps{
		People: a.People, Sessions: a.Sessions, Tokens: a.Tokens, Workspaces: a.Workspaces, Memberships: a.Memberships,
		Credits: a.Credits, Lists: a.Lists, Search: a.Search, Exports: a.Exports, Idempotency: a.Idempotency,
		OIDC: console.OIDC{
			Issuer: a.Config.OIDCIssuer, ClientID: a.Config.OIDCClientID, ClientSecret: a.Config.OIDCClientSecret,
			Name: a.Config.OIDCName, Domains: a.Config.Domains(),
		},
		System: a.systemStatus(), PublicURL: a.Config.PublicURL, Stopping: ctx.Done(), Log: a.Log,
	})
}

// FirstLink is where the first owner makes their account, at a server that listens at addr; empty if there is somebody
// already. Each call makes another link; all of them end with the first account.
func (a *App) FirstLink(ctx context.Context, addr net.Addr) (string, error) {
	secret, err := a.Memberships.First(ctx)
	if err != nil || secret == "" {
		return "", err
	}
	return a.Link(addr, secret), nil
}

// Link is the address of an invitation with the secret. addr is where the server listens.
func (a *App) Link(addr net.Addr, secret string) string {
	base := strings.TrimSuffix(a.Config.PublicURL, "/")
	if base == "" {
		base = "http://" + reachable(addr)
	}
	return base + console.JoinPath(secret)
}

func (a *App) pruneSessions(ctx context.Context) error {
	return errors.Join(a.Sessions.Prune(ctx), a.People.Prune(ctx))
}
