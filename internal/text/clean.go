package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean trims s, replaces each run of white space by one space, and drops control characters, invalid UTF-8 and U+FFFE and U+FFFF, which are
// no characters and which XML, such as that of workbooks, cannot hold.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = true
			continue
		case r == utf8.RuneError || unicode.IsControl(r) || r == '\ufeff' || r == '\ufffe' || r == '\uffff':
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// isClean reports whether s is ASCII that Clean would not change. It is a fast path: clean text that is not ASCII may be missed.
func isClean(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return s == "" || !space
}
