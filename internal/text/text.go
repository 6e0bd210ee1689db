// Package text makes spellings comparable: folding of case, accents and width, and the split into words.
// It knows nothing of companies or languages.
package text

import "unicode/utf8"

// Fold returns the comparable spelling of s: Unicode NFKC, case folded, accents removed (also ł ø đ æ ß and similar),
// typographic quotes and dashes as ASCII, invisible characters dropped, runs of white space and control characters as
// one space, trimmed. Folding twice changes nothing.
func Fold(s string) string {
	if isFolded(s) {
		return s
	}
	return string(AppendFold(make([]byte, 0, len(s)), s))
}

// AppendFold appends Fold(s) to dst.
func AppendFold(dst []byte, s string) []byte {
	start := len(dst)
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if l := asciiFold[c]; l != ' ' || endsInWord(dst[start:]) {
				dst = append(dst, l)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		folded, known := lookup(r)
		switch {
		case !known && !isInert(r):
			return appendFoldAny(dst[:start], s)
		case !known:
			dst = append(dst, s[i:i+size]...)
		case folded != " " || endsInWord(dst[start:]):
			dst = append(dst, folded...)
		}
		i += size
	}
	return trimSpace(dst, start)
}

// isFolded reports whether s is ASCII that Fold would not change. It is a fast path: it may miss other folded text.
func isFolded(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf || asciiFold[c] != c || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return s == "" || !space
}

func endsInWord(p []byte) bool { return len(p) > 0 && p[len(p)-1] != ' ' }

func trimSpace(p []byte, start int) []byte {
	if len(p) > start && p[len(p)-1] == ' ' {
		return p[:len(p)-1]
	}
	return p
}

// asciiFold maps letters to lower case, white space and control characters to a space.
var asciiFold = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		switch b := byte(c); {
		case b >= 'A' && b <= 'Z':
			t[c] = b + 'a' - 'A'
		case b < ' ' || b == 0x7f:
			t[c] = ' '
		default:
			t[c] = b
		}
	}
	return t
}()
