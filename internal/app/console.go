package app

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/console"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/notify"
	"github.com/opencapi/capi/internal/token"
)

// publicURL returns the address at which clients reach a server that listens at addr, without a slash at the end.
func (a *App) publicURL(addr net.Addr) string {
	return cmp.Or(strings.TrimSuffix(a.Config.PublicURL, "/"), "http://"+reachable(addr))
}

// console returns the handler of the console. left returns what a token may still request. ctx must be cancelled when the server
// starts to stop.
func (a *App) console(
	ctx context.Context, publicURL string, left func(token.Token) []console.RateLimit,
) (http.Handler, error) {
	return console.New(console.Deps{
		People: a.People, Sessions: a.Sessions, TwoFactor: a.TwoFactor, Tokens: a.Tokens, Workspaces: a.Workspaces, Memberships: a.Memberships,
		Credits: a.Credits, Lists: a.Lists, Search: a.Search, Exports: a.Exports, Orders: a.Orders, Idempotency: a.Idempotency, Uploads: a.Uploads,
		Audit: a.Audit, Wall: a.Wall, Webhooks: a.Webhooks, Destinations: a.Destinations, Deliveries: a.Deliveries, Presets: a.Presets, Notifier: a.Notifier, Limiter: a.limiter,
		OIDC: console.OIDC{
			Issuer: a.Config.OIDCIssuer, ClientID: a.Config.OIDCClientID, ClientSecret: a.Config.OIDCClientSecret,
			Name: a.Config.OIDCName, Domains: a.Config.Domains(),
		},
		System: a.systemStatus(), Requests: a.Requests, RateLimits: left, PublicURL: publicURL, TrustedProxies: a.Config.Proxies(), Stopping: ctx.Done(), Explain: a.DB.Explain, Log: a.Log,
	})
}

// FirstLink returns a link for creating the first account, at a server that listens at addr. It is empty if an account
// exists already. Each call returns a new link, which replaces the earlier one.
func (a *App) FirstLink(ctx context.Context, addr net.Addr) (string, error) {
	secret, _, err := a.Memberships.First(ctx, "")
	if err != nil || secret == "" {
		return "", err
	}
	return a.Link(addr, secret), nil
}

// Link returns the URL of the invitation with the secret, at a server that listens at addr.
func (a *App) Link(addr net.Addr, secret string) string {
	return a.publicURL(addr) + console.JoinPath(secret)
}

// mailLinks returns the addresses that emails name, of a server at the public URL.
func mailLinks(publicURL string) notify.Links {
	return notify.Links{
		Join:   func(secret string) string { return publicURL + console.JoinPath(secret) },
		Email:  func(secret string) string { return publicURL + console.EmailPath(secret) },
		Export: func(ws id.Workspace, e id.Export) string { return publicURL + console.ExportPath(ws, e) },
		Order:  func(ws id.Workspace, o id.Order) string { return publicURL + console.OrderPath(ws, o) },
	}
}

func (a *App) pruneSessions(ctx context.Context) error {
	return errors.Join(a.Sessions.Prune(ctx), a.People.Prune(ctx))
}
