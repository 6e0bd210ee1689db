package importer

import (
	"html"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// mend puts right what is certain: HTML entities, and UTF-8 that was once read as Windows-1252 or Mac Roman.
func mend(s string) string {
	if strings.IndexByte(s, '&') >= 0 && strings.IndexByte(s, ';') > 0 {
		s = html.UnescapeString(s)
	}
	for range 2 { // some have been through it twice
		mended, ok := unmangle(s)
		if !ok {
			break
		}
		s = mended
	}
	return s
}

// unmangle reads the characters as the bytes that they stand for. It is sure only if all that is not ASCII makes valid
// UTF-8 that way, which by chance hardly happens: "Ã©" is no text in any language.
func unmangle(s string) (string, bool) {
	if !mangled(s) {
		return s, false
	}
	for _, c := range []*charmap.Charmap{charmap.Windows1252, charmap.Macintosh} {
		if p, ok := encodeAll(c, s); ok && utf8.Valid(p) {
			if out := string(p); utf8.RuneCountInString(out) < utf8.RuneCountInString(s) {
				return out, true
			}
		}
	}
	return s, false
}

// mangled holds for a text that has the first character of a mangled sequence in it: a cheap look before the work.
func mangled(s string) bool {
	return !isASCII(s) && strings.ContainsAny(s, "ÃÂâÅÄÐÑæåäçèéã√¬‚ƒ≈Œ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func encodeAll(c *charmap.Charmap, s string) ([]byte, bool) {
	p := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := c.EncodeRune(r)
		if !ok {
			if c != charmap.Windows1252 || r >= 0xa0 || r < 0x80 {
				return nil, false
			}
			b = byte(r) // the five bytes that Windows-1252 leaves open
		}
		p = append(p, b)
	}
	return p, true
}
