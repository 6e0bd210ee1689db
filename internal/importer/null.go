package importer

import "strings"

const nullBytesMax = len("not applicable")

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isNull holds for what people and programs write where a value is not known.
func isNull(s string) bool {
	if len(s) > nullBytesMax && s[nullBytesMax] > ' ' && s[0] > ' ' {
		return false // as most texts
	}
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return true
	case len(s) > nullBytesMax:
		return false
	case !isLetterOrDigit(s[0]) && strings.Trim(s, "-–—._?#*/ ") == "":
		return true
	}
	var lower [nullBytesMax]byte
	for i := range len(s) {
		lower[i] = s[i]
		if 'A' <= s[i] && s[i] <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	return nulls[string(lower[:len(s)])]
}

var nulls = func() map[string]bool {
	m := map[string]bool{"not applicable": true, "not available": true, "not specified": true, "no data": true, "not known": true, "not found": true, "not provided": true, "not set": true, `\n`: true, "#name?": true, "#n/a": true, "#ref!": true, "#value!": true, "#div/0!": true, "#null!": true, "#num!": true}
	for _, s := range strings.Fields("null nil none nan n/a n.a. n.a na/ n/d n.d. n/k tbd tba unknown undefined undisclosed unspecified (null) (none) (blank) <null> <na> [null] [] {} [none] - k.a. s/d <nil>") {
		m[s] = true
	}
	return m
}()

// withheld holds for what stands in place of a name that is known and not told: in a connection it says that there is a
// company, where an empty cell says nothing.
func withheld(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "undisclosed") }

// isNullNumber also holds for what stands for an unknown number.
func isNullNumber(s string) bool {
	switch strings.TrimSpace(s) {
	case "-1", "-1.0", "-99", "-999", "-9999", "NA", "na", "Na":
		return true
	}
	return isNull(s)
}
