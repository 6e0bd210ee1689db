package text

import "github.com/dustin/go-humanize"

// Count returns a number of things for people, such as "1 company" or "2,000 companies".
func Count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}
