package middleware

import (
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"

	"github.com/opencapi/capi/internal/tracing"
)

// Trace begins a span for each request, within that of the client if it sends one, and adds its id to the log line. The span has the
// route, and no path or query, which may contain a token or what somebody looks for. Handlers behind it must pass on the same
// *http.Request.
func Trace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if watched[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracing.Begin(ctx, r.Method)
		if !span.IsRecording() {
			next.ServeHTTP(w, r)
			return
		}
		NoteOf(ctx).Add(slog.String("trace_id", span.SpanContext().TraceID().String()))
		seen, within := &watcher{ResponseWriter: w}, r.WithContext(ctx)
		defer func() {
			method, route := routeOf(within)
			span.SetName(method + " " + route)
			span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
				attribute.Int("http.response.status_code", seen.statusCode()), attribute.String("capi.request_id", RequestIDOf(ctx)))
			if seen.statusCode() >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}()
		next.ServeHTTP(seen, within)
	})
}
