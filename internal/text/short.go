package text

// shortRunesMax is what Short keeps at most.
const shortRunesMax = 100

// Short is s for showing to people: its first 100 characters, and … if there are more.
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
