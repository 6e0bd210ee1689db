// Package tracing sends spans to an OpenTelemetry collector, if one is configured. Without one, spans cost next to nothing.
package tracing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// The standard variables that configure tracing. The SDK reads others, such as OTEL_TRACES_SAMPLER, itself.
const (
	endpointEnv       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointEnv = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocolEnv       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocolEnv = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	disabledEnv       = "OTEL_SDK_DISABLED"
)

// Setup begins to send spans if the environment names a collector, and reports whether it does. stop sends what is left. Errors
// of the collector are logged, at most one a minute; they delay nothing.
func Setup(ctx context.Context, version string, log *slog.Logger) (stop func(context.Context) error, enabled bool, err error) {
	nothing := func(context.Context) error { return nil }
	endpoint := cmp.Or(os.Getenv(tracesEndpointEnv), os.Getenv(endpointEnv))
	if endpoint == "" || os.Getenv(disabledEnv) == "true" {
		return nothing, false, nil
	}
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, false, fmt.Errorf("%s or %s is %q, which is not a URL such as http://localhost:4318", tracesEndpointEnv, endpointEnv, endpoint)
	}
	if p := cmp.Or(os.Getenv(tracesProtocolEnv), os.Getenv(protocolEnv)); p != "" && p != "http/protobuf" {
		return nil, false, fmt.Errorf("%s is %q, but traces are sent as http/protobuf only; collectors receive it at port 4318", protocolEnv, p)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("start tracing: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "capi"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, false, fmt.Errorf("start tracing: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetErrorHandler(rarely(log))
	return provider.Shutdown, true, nil
}

// rarely logs an error at most once a minute.
func rarely(log *slog.Logger) otel.ErrorHandlerFunc {
	next := make(chan time.Time, 1)
	next <- time.Time{}
	return func(err error) {
		at := <-next
		if now := time.Now(); now.After(at) {
			log.Warn("traces not sent", "error", err)
			at = now.Add(time.Minute)
		}
		next <- at
	}
}

func tracer() api.Tracer { return otel.Tracer("github.com/opencapi/capi") }

// Begin begins a span. End it with End.
func Begin(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, api.Span) {
	return tracer().Start(ctx, name, api.WithAttributes(attrs...))
}

// Within is like Begin, but for work that is only of interest as part of something else: without a span around it, it has none.
func Within(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, api.Span) {
	around := api.SpanFromContext(ctx)
	if !around.SpanContext().IsValid() {
		return ctx, around
	}
	return Begin(ctx, name, attrs...)
}

// End ends a span of Begin or Within, with the error as its status. The status does not contain the error's text, which may name
// what a client has sent.
func End(span api.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
