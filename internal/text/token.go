package text

import (
	"unicode"
	"unicode/utf8"
)

// Break stands among the words of Tokens where punctuation parts two characters of scripts without spaces: there nothing
// else says that the words on both sides are no phrase. It is no word that one can look for.
const Break = ","

var breakWord = []byte(Break)

// Tokens splits s into folded words: runs of letters and digits; each Han, Hiragana, Katakana or Hangul character is
// a word of its own, so that such text is found by any part of it, and between two of them a comma, a full stop or the
// like is a Break. What joins words in such scripts parts nothing: spaces, brackets, quotes, the middle dot.
func Tokens(s string) []string {
	var words []string
	EachToken(s, func(word []byte) { words = append(words, string(word)) })
	return words
}

// EachToken calls fn with each word of Tokens(s), in order; word is valid during the call only.
// It allocates once a call, whatever the number of words, as long as s is ASCII.
func EachToken(s string, fn func(word []byte)) {
	buf := make([]byte, 0, 64)
	t := tokens{fn: fn}
	for i := 0; i < len(s); {
		if asciiWord[s[i]] == separator {
			if t.alone {
				t.part(rune(s[i]))
			}
			i++
			continue
		}
		buf = buf[:0]
		start := i
		for i < len(s) && asciiWord[s[i]] > beyond {
			buf = append(buf, asciiWord[s[i]])
			i++
		}
		if i == len(s) || asciiWord[s[i]] == separator {
			t.alone = false
			fn(buf)
			continue
		}
		// A piece between ASCII separators folds apart from its neighbours: nothing composes with a separator.
		for i < len(s) && asciiWord[s[i]] != separator {
			i++
		}
		buf = AppendFold(buf[:0], s[start:i])
		t.split(buf)
	}
}

// tokens is where the splitting of a text stands.
type tokens struct {
	fn            func(word []byte)
	alone, parted bool // whether the last word is one lone character, and whether a break came behind it
}

// split goes on with a piece of folded text.
func (t *tokens) split(p []byte) {
	start := -1
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		alone := isAlone(r)
		if inWord := !alone && isWord(r); !inWord && start >= 0 {
			t.fn(p[start:i:i])
			start = -1
		} else if inWord && start < 0 {
			start, t.alone = i, false
		}
		switch {
		case alone:
			t.lone(p[i : i+size : i+size])
		case start < 0:
			t.part(r)
		}
		i += size
	}
	if start >= 0 {
		t.fn(p[start:])
	}
}

// lone yields a lone character.
func (t *tokens) lone(word []byte) {
	if t.alone && t.parted {
		t.fn(breakWord)
	}
	t.alone, t.parted = true, false
	t.fn(word)
}

// part takes in a character between words.
func (t *tokens) part(r rune) { t.parted = t.parted || parts(r) }

// parts holds for folded punctuation between clauses, or between the items of a list.
func parts(r rune) bool {
	switch r {
	case ',', '.', ';', ':', '!', '?', '/', '|', '\u3001', '\u3002': // the last are the ideographic comma and full stop
		return true
	}
	return false
}

// isWord holds for letters, digits and the marks that Fold leaves on them.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return asciiWord[r] != separator
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// IsAlone holds for a word of Tokens that is one character of a script written without spaces.
func IsAlone(word string) bool {
	r, size := utf8.DecodeRuneInString(word)
	return size == len(word) && isAlone(r)
}

func isAlone(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r >= 0x3041 && r <= 0x30ff:
		return r <= 0x3096 || r >= 0x30a1 && r != 0x30fb // 30fb is the middle dot
	case r >= 0x4e00 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3:
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) && unicode.In(r, unicode.L, unicode.N)
}

// What asciiWord says of a byte besides the folded letter or digit that it is.
const (
	separator = 0
	beyond    = 1 // part of a character outside of ASCII
)

var asciiWord = func() (t [256]byte) {
	for c := range t {
		switch b := byte(c); {
		case b >= utf8.RuneSelf:
			t[c] = beyond
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
			t[c] = asciiFold[b]
		}
	}
	return t
}()
