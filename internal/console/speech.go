package console

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// numbersOf are the languages whose way to write numbers is spoken; the words stay English.
var numbersOf = language.NewMatcher([]language.Tag{
	language.English, language.German, language.French, language.Spanish, language.Italian, language.Portuguese,
	language.Dutch, language.Danish, language.Swedish, language.Norwegian, language.Finnish, language.Polish,
	language.Czech, language.Hungarian, language.Romanian, language.Turkish, language.Ukrainian, language.Russian,
	language.Japanese, language.Chinese, language.Korean, language.Hindi, language.MustParse("de-CH"),
	language.MustParse("de-AT"), language.MustParse("en-IN"), language.MustParse("es-MX"), language.MustParse("pt-PT"),
})

type speechKey struct{}

var english = message.NewPrinter(language.English)

// withSpeech lets numbers be written as the reader's browser asks for.
func withSpeech(ctx context.Context, r *http.Request) context.Context {
	tag, _ := language.MatchStrings(numbersOf, r.Header.Get("Accept-Language"))
	return context.WithValue(ctx, speechKey{}, message.NewPrinter(tag))
}

func speechOf(ctx context.Context) *message.Printer {
	if p, ok := ctx.Value(speechKey{}).(*message.Printer); ok {
		return p
	}
	return english
}

// count is a whole number as the reader writes it.
func count[N int | int64](ctx context.Context, n N) string {
	return speechOf(ctx).Sprint(number.Decimal(int64(n)))
}

// plural is a number with its noun: 1 company, 2 companies.
func plural[N int | int64](ctx context.Context, n N, one, many string) string {
	if n == 1 {
		return count(ctx, n) + " " + one
	}
	return count(ctx, n) + " " + many
}

// signed is a number of credits that came or went; its minus is a real one.
func signed(ctx context.Context, n int64) string {
	if n < 0 {
		return "−" + count(ctx, -n)
	}
	return "+" + count(ctx, n)
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
		return plural(ctx, n, "byte", "bytes")
	}
	return speechOf(ctx).Sprint(number.Decimal(size, number.MaxFractionDigits(1))) + " " + units[unit]
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
