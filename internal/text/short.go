package text

// shortRunesMax is the number of characters that Short keeps.
const shortRunesMax = 100

// Short returns s shortened for people: its first 100 characters, followed by … if there are more.
func Short(s string) string { return Start(s, shortRunesMax) }

// Start returns the first most characters of s, followed by … if there are more.
func Start(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
