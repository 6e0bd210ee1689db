package ingest

import "strings"

// isNull holds for what people and programs write where a value is not known.
func isNull(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) > len("not applicable") {
		return false
	}
	if s == "" {
		return true
	}
	if strings.Trim(s, "-–—._?#*/ ") == "" {
		return true
	}
	return nulls[strings.ToLower(s)]
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
