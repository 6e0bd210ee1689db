package view

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// locales are the languages whose way to write numbers is spoken; the words stay English.
var locales = language.NewMatcher([]language.Tag{
	language.English, language.German, language.French, language.Spanish, language.Italian, language.Portuguese,
	language.Dutch, language.Danish, language.Swedish, language.Norwegian, language.Finnish, language.Polish,
	language.Czech, language.Hungarian, language.Romanian, language.Turkish, language.Ukrainian, language.Russian,
	language.Japanese, language.Chinese, language.Korean, language.Hindi, language.MustParse("de-CH"),
	language.MustParse("de-AT"), language.MustParse("en-IN"), language.MustParse("es-MX"), language.MustParse("pt-PT"),
})

type printerKey struct{}

var english = message.NewPrinter(language.English)

// WithLocale lets numbers be written as the reader's browser asks for.
func WithLocale(ctx context.Context, r *http.Request) context.Context {
	tag, _ := language.MatchStrings(locales, r.Header.Get("Accept-Language"))
	return context.WithValue(ctx, printerKey{}, message.NewPrinter(tag))
}

func printerOf(ctx context.Context) *message.Printer {
	if p, ok := ctx.Value(printerKey{}).(*message.Printer); ok {
		return p
	}
	return english
}

// count is a whole number as the reader writes it.
func Count[N int | int64](ctx context.Context, n N) string {
	return printerOf(ctx).Sprint(number.Decimal(int64(n)))
}

// plural is a number with its noun: 1 company, 2 companies.
func Plural[N int | int64](ctx context.Context, n N, one, many string) string {
	if n == 1 {
		return Count(ctx, n) + " " + one
	}
	return Count(ctx, n) + " " + many
}

// signed is a number of credits that came or went; its minus is a real one.
func Signed(ctx context.Context, n int64) string {
	if n < 0 {
		return "−" + Count(ctx, -n)
	}
	return "+" + Count(ctx, n)
}

// percent is part of whole, 0 to 100.
func percent[N int | int64](part, whole N) int {
	if whole <= 0 {
		return 0
	}
	return int(min(100, max(0, part)*100/whole))
}

// sizeBytes is a size for people.
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

// stamp is a moment as machines read it, in a time element's datetime.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// moment is a moment for people.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
