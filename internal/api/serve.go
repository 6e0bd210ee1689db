package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/middleware"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/requestlog"
)

// serve handles a route's requests: token, scope, rate limit, body, handler, in this order, so that a request without a
// valid token learns nothing else.
func (s *server) serve(rt route, b *binding) http.Handler {
	limit := s.RateLimits.For(rt.limit, ratelimit.PerMinute(rt.perMinute))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := s.answer(rt, b, limit, w, r)
		stored, isStored := out.(idempotency.Answer)
		stream := streamOf(out)
		csv := csvOf(out)
		_, isSigned := out.(signable)
		isSigned = isSigned && s.Signing.Enabled()
		switch {
		case err != nil:
		case isSigned:
			err = s.writeSigned(r.Context(), w, func(w http.ResponseWriter) error {
				if csv != nil {
					return csv.Write(w, rt.status)
				}
				httpx.WriteJSON(w, rt.status, out)
				return nil
			})
		case csv != nil:
			err = csv.Write(w, rt.status)
		}
		if err == nil && stream != nil {
			err = stream(w, r)
		}
		switch {
		case err != nil:
			s.fail(w, r, err)
		case stream != nil:
		case csv != nil, isSigned:
		case isStored:
			writeAnswer(w, stored)
		case rt.status == http.StatusNoContent:
			w.WriteHeader(rt.status)
		default:
			if t, ok := out.(timed); ok {
				w.Header().Set(timingHeader, t.serverTiming())
			}
			httpx.WriteJSON(w, rt.status, out)
		}
	})
}

func (s *server) answer(rt route, b *binding, limit ratelimit.Limit, w http.ResponseWriter, r *http.Request) (any, error) {
	ctx := r.Context()
	caller, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	note := middleware.NoteOf(ctx)
	note.Add(slog.String("operation", rt.operation))
	note.Add(slog.String("workspace_id", caller.Workspace.String()))
	note.Add(slog.String("token_id", caller.Token.String()))
	ctx = s.keep(ctx, rt, caller)
	if err := caller.Require(rt.scope); err != nil {
		return nil, err
	}
	if err := s.take(w, bucket(caller.Token, rt.limit), limit); err != nil {
		return nil, err
	}
	if rt.once != nil {
		return s.answerOnce(rt, b, caller, w, r.WithContext(ctx))
	}
	in, err := b.read(w, r)
	if err != nil {
		return nil, err
	}
	if n, ok := in.(interface{ negotiate(accept []string) }); ok {
		n.negotiate(r.Header.Values("Accept"))
	}
	out, err := rt.call(s, ctx, caller, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rt.operation, err)
	}
	if slices.Contains(rt.codes, fault.DailyLimitExceeded) {
		err = s.tellDaily(ctx, w, caller)
	}
	return out, err
}

// tellDaily reports in headers how many more companies the caller may be shown today, if there is a limit.
func (s *server) tellDaily(ctx context.Context, w http.ResponseWriter, caller auth.Caller) error {
	today, err := s.Search.Wall.Today(ctx, caller)
	if err != nil || today == nil {
		return err
	}
	httpx.SetDaily(w, today.Limit, today.Left(), time.Until(today.ResetsAt))
	return nil
}

type creditsKey struct{}

// keep logs the request of the token once it is answered. spent adds to its credits.
func (s *server) keep(ctx context.Context, rt route, caller auth.Caller) context.Context {
	if s.Requests == nil {
		return ctx
	}
	began, credits := time.Now(), new(int64)
	middleware.NoteOf(ctx).OnEnd(func(status int, took time.Duration) {
		s.Requests.Add(requestlog.Request{
			ID: middleware.RequestIDOf(ctx), Token: caller.Token, At: began, Method: rt.method, Route: basePath + rt.path,
			Status: status, Took: took, Credits: *credits,
		})
	})
	return context.WithValue(ctx, creditsKey{}, credits)
}

// spent notes for the log what the request charged; a refund is negative.
func spent(ctx context.Context, credits int64) {
	if sum, ok := ctx.Value(creditsKey{}).(*int64); ok {
		*sum += credits
	}
}

func (s *server) authenticate(r *http.Request) (auth.Caller, error) {
	given, err := httpx.Authorization(r)
	if err != nil {
		return auth.Caller{}, err
	}
	return s.Auth.Authenticate(r.Context(), given)
}

// forOwners returns Forbidden unless the token belongs to an owner. what is what only owners may do.
func forOwners(caller auth.Caller, what string) error {
	if caller.Owner {
		return nil
	}
	return fault.New(fault.Forbidden, "Only owners of the workspace may %s. Use a token that an owner has made in the console, on the page Tokens.", what)
}

// take counts the request and reports in headers what is left.
func (s *server) take(w http.ResponseWriter, key string, limit ratelimit.Limit) error {
	if limit.IsOff() {
		return nil
	}
	d := s.Limiter.Allow(key, limit)
	httpx.SetRateLimit(w, d.Limit, d.Remaining, d.ResetAfter)
	return d.Err(limit)
}
