package view

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// locales are the languages in whose format numbers are written. Words stay English.
var locales = language.NewMatcher([]language.Tag{
	language.English, language.German, language.French, language.Spanish, language.Italian, language.Portuguese,
	language.Dutch, language.Danish, language.Swedish, language.Norwegian, language.Finnish, language.Polish,
	language.Czech, language.Hungarian, language.Romanian, language.Turkish, language.Ukrainian, language.Russian,
	language.Japanese, language.Chinese, language.Korean, language.Hindi, language.MustParse("de-CH"),
	language.MustParse("de-AT"), language.MustParse("en-IN"), language.MustParse("es-MX"), language.MustParse("pt-PT"),
})

type printerKey struct{}

var english = message.NewPrinter(language.English)

// WithLocale makes numbers follow the Accept-Language header of the request, and times the time zone in its cookie.
func WithLocale(ctx context.Context, r *http.Request) context.Context {
	tag, _ := language.MatchStrings(locales, r.Header.Get("Accept-Language"))
	return withZone(context.WithValue(ctx, printerKey{}, message.NewPrinter(tag)), r)
}

func printerOf(ctx context.Context) *message.Printer {
	if p, ok := ctx.Value(printerKey{}).(*message.Printer); ok {
		return p
	}
	return english
}

// Count formats a whole number in the reader's locale.
func Count[N int | int64](ctx context.Context, n N) string {
	return printerOf(ctx).Sprint(number.Decimal(int64(n)))
}

// Plural formats a number with its noun: 1 company, 2 companies.
func Plural[N int | int64](ctx context.Context, n N, one, many string) string {
	if n == 1 {
		return Count(ctx, n) + " " + one
	}
	return Count(ctx, n) + " " + many
}

// Companies formats a number of companies; none is no company.
func Companies[N int | int64](ctx context.Context, n N) string {
	if n == 0 {
		return "no company"
	}
	return Plural(ctx, n, "company", "companies")
}

// Signed formats a change of credits, with + or a true minus sign.
func Signed(ctx context.Context, n int64) string {
	if n < 0 {
		return "−" + Count(ctx, -n)
	}
	return "+" + Count(ctx, n)
}

// percent returns part of whole in percent, from 0 to 100.
func percent[N int | int64](part, whole N) int {
	if whole <= 0 {
		return 0
	}
	return int(min(100, max(0, part)*100/whole))
}

// sizeBytes formats a size in bytes.
func sizeBytes(ctx context.Context, n int64) string {
	const kilo = 1000
	units := []string{"bytes", "kB", "MB", "GB"}
	size, unit := float64(n), 0
	for size >= kilo && unit < len(units)-1 {
		size, unit = size/kilo, unit+1
	}
	if unit == 0 {
		return Plural(ctx, n, "byte", "bytes")
	}
	return printerOf(ctx).Sprint(number.Decimal(size, number.MaxFractionDigits(1))) + " " + units[unit]
}

// stamp formats a time for the datetime attribute of a time element.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// moment formats a time for people.
func moment(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 " + clock) }

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
