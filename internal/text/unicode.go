package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// appendFoldAny is AppendFold for every text, in four steps: decompose, map each character, compose, one space.
func appendFoldAny(dst []byte, s string) []byte {
	s = strings.ToValidUTF8(s, string(utf8.RuneError)) // norm skips what follows invalid bytes
	mapped := make([]byte, 0, len(s))
	for _, r := range norm.NFKD.String(s) {
		mapped = appendMapped(mapped, r)
	}
	start := len(dst)
	for _, r := range norm.NFC.String(string(mapped)) {
		if r != ' ' || endsInWord(dst[start:]) {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return trimSpace(dst, start)
}

// appendMapped appends the replacement of a character of decomposed text.
func appendMapped(dst []byte, r rune) []byte {
	switch {
	case isAccent(r) || unicode.Is(unicode.Cf, r):
		return dst
	case unicode.IsSpace(r) || unicode.IsControl(r):
		return append(dst, ' ')
	}
	r = unicode.ToLower(unicode.ToUpper(r)) // through upper case, so that ς equals σ, and ı equals i
	if plain, ok := plainSpelling[r]; ok {
		return append(dst, plain...)
	}
	return utf8.AppendRune(dst, r)
}

// isAccent reports whether r is a mark that people leave out: accents of European scripts, points of Hebrew and Arabic,
// variation selectors. Marks that make another letter, such as those of Devanagari or kana, stay.
func isAccent(r rune) bool {
	switch {
	case r < 0x300:
		return false
	case r <= 0x36f, r >= 0x483 && r <= 0x489: // combining marks, Cyrillic marks
		return true
	case r >= 0x591 && r <= 0x5c7: // Hebrew, with the punctuation in between left alone
		return unicode.Is(unicode.Mn, r)
	case r >= 0x610 && r <= 0x61a, r >= 0x64b && r <= 0x65f, r == 0x670: // Arabic
		return true
	case r >= 0x1ab0 && r <= 0x1aff, r >= 0x1dc0 && r <= 0x1dff, r >= 0x20d0 && r <= 0x20ff, r >= 0xfe20 && r <= 0xfe2f:
		return true
	}
	return r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0100 && r <= 0xe01ef
}

// plainSpelling maps letters that Unicode does not decompose, and typography that is replaced in ASCII.
var plainSpelling = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ŧ': "t", 'ŋ': "ng",
	'ĸ': "k", 'ƀ': "b", 'ɓ': "b", 'ƈ': "c", 'ɖ': "d", 'ɗ': "d", 'ə': "e", 'ɛ': "e", 'ƒ': "f", 'ǥ': "g", 'ɠ': "g",
	'ɨ': "i", 'ƙ': "k", 'ƚ': "l", 'ɲ': "n", 'ƞ': "n", 'ɵ': "o", 'ɔ': "o", 'ƥ': "p", 'ɍ': "r", 'ƭ': "t", 'ʉ': "u",
	'ʋ': "v", 'ƴ': "y", 'ɏ': "y", 'ƶ': "z", 'ȥ': "z", 'ⱥ': "a", 'ȼ': "c", 'ɇ': "e", 'ɉ': "j", 'ⱦ': "t", 'և': "եւ",
	'‘': "'", '’': "'", '‛': "'", 'ʼ': "'", 'ʻ': "'", '“': `"`, '”': `"`, '„': `"`, '‟': `"`,
	'♯': "#", '֊': "-", '־': "-", '᠆': "-", '⁃': "-", '⸗': "-", '゠': "-",
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-", '⁄': "/",
}

// The table covers the characters whose folding does not depend on their neighbours: Latin, Greek, Cyrillic, and
// general punctuation.
const (
	lowEnd                 = 0x530
	latinStart, latinEnd   = 0x1e00, 0x2070 // Latin additional, Greek extended, general punctuation
	latinOffset, tableSize = latinStart - lowEnd, lowEnd + latinEnd - latinStart
)

var table = func() (t [tableSize]string) {
	for i := range t {
		r := rune(i)
		if i >= lowEnd {
			r += latinOffset
		}
		var p []byte
		for _, d := range norm.NFKD.String(string(r)) {
			p = appendMapped(p, d)
		}
		t[i] = string(p)
	}
	return t
}()

func lookup(r rune) (string, bool) {
	switch {
	case r < lowEnd:
		return table[r], true
	case r >= latinStart && r < latinEnd:
		return table[r-latinOffset], true
	}
	return "", false
}

// isInert reports whether r folds to itself if its neighbours are also inert or in the table.
func isInert(r rune) bool {
	switch {
	case r < 0x3001:
		return false
	case r <= 0x3002, r >= 0x3041 && r <= 0x3096, r >= 0x30a1 && r <= 0x30fe: // kana
		return true
	}
	return r >= 0x4e00 && r <= 0x9fff || r >= 0xac00 && r <= 0xd7a3 // Han, Hangul syllables
}
