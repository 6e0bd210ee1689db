package text

// shortRunesMax is the number of characters that Short keeps.
const shortRunesMax = 100

// Short returns s shortened for people: its first 100 characters, followed by … if there are more.
func Short(s string) string {
	if len(s) <= shortRunesMax {
		return s
	}
	n := 0
	for i := range s {
		if n == shortRunesMax {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
