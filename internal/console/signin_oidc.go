package console

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/membership"
)

// OIDC is the OpenID provider with which people sign in. The zero value means that there is no provider.
type OIDC struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	Name         string   // the label of the button. Defaults to single sign-on
	Domains      []string // email domains, in lower case, whose people need no invitation
}

const (
	oidcTimeout = 10 * time.Second
	oidcMax     = 10 * time.Minute // from the button to the callback

	oidcStateKey    = "oidc_state"
	oidcNonceKey    = "oidc_nonce"
	oidcVerifierKey = "oidc_verifier"
	oidcNextKey     = "oidc_next"
	oidcSinceKey    = "oidc_since"
)

// provider fetches the configuration of the OpenID provider when it is first needed, because the server must start without
// it.
type provider struct {
	OIDC
	mu    sync.Mutex
	found *oidc.Provider
}

func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	// The provider keeps the context for fetching keys, so it must outlive the request.
	found, err := oidc.NewProvider(withClient(context.WithoutCancel(ctx)), p.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask OpenID provider %s about itself: %w", p.Issuer, err)
	}
	p.found = found
	return found, nil
}

func withClient(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, &http.Client{Timeout: oidcTimeout})
}

func (p *provider) flow(found *oidc.Provider, s *server) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: s.PublicURL + basePath + "/sign-in/oidc/callback",
		Scopes:      []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// startProviderSignIn sends the browser to the provider, with values that only this browser and the provider know.
func (s *server) startProviderSignIn(w http.ResponseWriter, r *http.Request) error {
	if s.provider == nil {
		return notFound()
	}
	if err := s.limit("oidc "+s.clientNetwork(r), limitPerAddress); err != nil {
		return err
	}
	ctx := r.Context()
	found, err := s.provider.discover(ctx)
	if err != nil {
		return err
	}
	state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	s.sessions.Put(ctx, oidcStateKey, state)
	s.sessions.Put(ctx, oidcNonceKey, nonce)
	s.sessions.Put(ctx, oidcVerifierKey, verifier)
	s.sessions.Put(ctx, oidcNextKey, ownPath(r.URL.Query().Get("next")))
	s.sessions.Put(ctx, oidcSinceKey, time.Now().Unix())
	return redirect(w, r, s.provider.flow(found, s).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
}

// finishProviderSignIn signs in the person whom the provider names.
func (s *server) finishProviderSignIn(w http.ResponseWriter, r *http.Request) error {
	if s.provider == nil {
		return notFound()
	}
	if err := s.limit("oidc "+s.clientNetwork(r), limitPerAddress); err != nil {
		return err
	}
	ctx := r.Context()
	next := s.sessions.PopString(ctx, oidcNextKey)
	claims, err := s.claims(r)
	if err != nil {
		return err
	}
	p, err := s.Memberships.Identify(ctx, claims, s.provider.Domains)
	if err != nil {
		return err
	}
	if err := s.startSession(ctx, p.ID, account.ByProvider); err != nil {
		return err
	}
	return redirect(w, r, ownPath(next))
}

// claims returns what the provider says about the person, after checking that this browser started the sign-in and that the
// answer is authentic.
func (s *server) claims(r *http.Request) (membership.Claims, error) {
	ctx := r.Context()
	state, nonce := s.sessions.PopString(ctx, oidcStateKey), s.sessions.PopString(ctx, oidcNonceKey)
	verifier := s.sessions.PopString(ctx, oidcVerifierKey)
	since := time.Unix(s.sessions.GetInt64(ctx, oidcSinceKey), 0)
	given := r.URL.Query()
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(given.Get("state"))) != 1 || time.Since(since) > oidcMax {
		return membership.Claims{}, fault.New(fault.InvalidLink, "The sign-in took too long or started in another browser. Try again.")
	}
	if given.Get("error") != "" {
		return membership.Claims{}, fault.New(fault.Forbidden, "The provider did not sign you in.")
	}
	found, err := s.provider.discover(ctx)
	if err != nil {
		return membership.Claims{}, err
	}
	token, err := s.provider.flow(found, s).Exchange(withClient(ctx), given.Get("code"), oauth2.VerifierOption(verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return membership.Claims{}, fault.New(fault.Forbidden, "The provider did not confirm the sign-in. Try again.").Because(refused)
	}
	if err != nil {
		return membership.Claims{}, fmt.Errorf("exchange code at OpenID provider: %w", err)
	}
	return s.verify(ctx, found, token, nonce)
}

func (s *server) verify(
	ctx context.Context, found *oidc.Provider, token *oauth2.Token, nonce string,
) (membership.Claims, error) {
	raw, _ := token.Extra("id_token").(string)
	signed, err := found.Verifier(&oidc.Config{ClientID: s.provider.ClientID}).Verify(withClient(ctx), raw)
	if err != nil {
		return membership.Claims{}, fmt.Errorf("verify the ID token of the OpenID provider: %w", err)
	}
	if nonce == "" || subtle.ConstantTimeCompare([]byte(signed.Nonce), []byte(nonce)) != 1 {
		return membership.Claims{}, errors.New("the OpenID provider's answer has another nonce")
	}
	var says struct {
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
		Name          string `json:"name"`
	}
	if err := signed.Claims(&says); err != nil {
		return membership.Claims{}, fmt.Errorf("read the claims of the OpenID provider: %w", err)
	}
	if says.Email == "" { // some providers keep the token small and give the rest on request
		info, err := found.UserInfo(withClient(ctx), oauth2.StaticTokenSource(token))
		if err != nil {
			return membership.Claims{}, fmt.Errorf("ask the OpenID provider for the user info: %w", err)
		}
		if info.Subject != signed.Subject {
			return membership.Claims{}, errors.New("the OpenID provider names two different people")
		}
		if err := info.Claims(&says); err != nil {
			return membership.Claims{}, fmt.Errorf("read the claims of the OpenID provider: %w", err)
		}
		says.Email, says.EmailVerified = info.Email, info.EmailVerified
	}
	return membership.Claims{
		Identity: account.Identity{Issuer: signed.Issuer, Subject: signed.Subject},
		Email:    says.Email, EmailVerified: says.EmailVerified, Name: says.Name,
	}, nil
}
