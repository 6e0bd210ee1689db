package text

import (
	"unicode"
	"unicode/utf8"
)

// Break occurs among the words of Tokens where punctuation separates two characters of a script without spaces: nothing else
// shows that the words on both sides are not a phrase. It is not a word and cannot be searched for.
const Break = ","

var breakWord = []byte(Break)

// Tokens splits s into folded words: runs of letters and digits; each Han, Hiragana, Katakana or Hangul character is
// a separate word, so that such text is found by any part of it. Between two of them, a comma, a full stop or similar
// punctuation is a Break; spaces, brackets, quotes and the middle dot are not.
func Tokens(s string) []string {
	var words []string
	EachToken(s, func(word []byte) { words = append(words, string(word)) })
	return words
}

// EachToken calls fn with each word of Tokens(s), in order; word is valid only during the call.
// For ASCII it allocates once per call, regardless of the number of words.
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
		// A part between ASCII separators can be folded separately, because nothing composes with a separator.
		for i < len(s) && asciiWord[s[i]] != separator {
			i++
		}
		buf = AppendFold(buf[:0], s[start:i])
		t.split(buf)
	}
}

// tokens is the state of splitting a text.
type tokens struct {
	fn            func(word []byte)
	alone, parted bool // whether the last word is a single character of such a script, and whether a break followed it
}

// split continues with a part of folded text.
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

// lone yields a single character as a word.
func (t *tokens) lone(word []byte) {
	if t.alone && t.parted {
		t.fn(breakWord)
	}
	t.alone, t.parted = true, false
	t.fn(word)
}

// part handles a character between words.
func (t *tokens) part(r rune) { t.parted = t.parted || parts(r) }

// parts reports whether r is folded punctuation between clauses or between items of a list.
func parts(r rune) bool {
	switch r {
	case ',', '.', ';', ':', '!', '?', '/', '|', '\u3001', '\u3002': // the last are the ideographic comma and full stop
		return true
	}
	return false
}

// isWord reports whether r is a letter, a digit, or a mark that Fold keeps on one.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return asciiWord[r] != separator
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// IsAlone reports whether a word of Tokens is a single character of a script written without spaces.
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

// Values of asciiWord for bytes that are not letters or digits.
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
