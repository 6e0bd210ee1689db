package text

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Break occurs among the words of Tokens where punctuation separates two characters of a script without spaces: nothing else
// shows that the words on both sides are not a phrase. It is not a word and cannot be searched for.
const Break = ","

var breakWord = []byte(Break)

// Tokens splits s into folded words: runs of letters and digits; each Han, Hiragana, Katakana or Hangul character is
// a separate word, so that such text is found by any part of it. Between two of them, a comma, a full stop or similar
// punctuation is a Break; spaces, brackets, quotes and the middle dot are not. An ampersand is the word and. A sign that
// makes another word belongs to it: ++ or # after a single letter (C++, C#, but not the A#12 of an address), and the point
// of .NET.
func Tokens(s string) []string {
	var words []string
	EachToken(s, func(word []byte) { words = append(words, string(word)) })
	return words
}

// And is the word of an ampersand.
const And = "and"

var andWord = []byte(And)

// EachToken calls fn with each word of Tokens(s), in order; word is valid only during the call.
// For ASCII it allocates once per call, regardless of the number of words.
func EachToken(s string, fn func(word []byte)) {
	buf := make([]byte, 0, 64)
	t := tokens{fn: fn}
	for i := 0; i < len(s); {
		end, ascii := asciiToken(s, i)
		switch {
		case !ascii:
			// The text up to an ASCII separator can be folded separately, because nothing composes with a separator. Signs may
			// belong to a word, so they are not separators here.
			end = i
			for end < len(s) && (asciiWord[s[end]] != separator || strings.IndexByte(signs, s[end]) >= 0) {
				end++
			}
			t.before = 0
			if i > 0 {
				t.before = s[i-1]
			}
			buf = AppendFold(buf[:0], s[i:end])
			t.split(buf)
		case end == i:
			t.gap(rune(s[i]))
			end++
		default:
			buf = buf[:0]
			for _, c := range []byte(s[i:end]) {
				buf = append(buf, asciiFold[c])
			}
			t.word(buf)
		}
		i = end
	}
}

// signs are the characters that can be part of a word or a word of their own.
const signs = "+#.&"

// asciiToken returns the end of the word that begins at i, which is i if none does. It reports false if the word may depend
// on characters outside of ASCII.
func asciiToken(s string, i int) (end int, ascii bool) {
	for end = i; end < len(s) && asciiWord[s[end]] > beyond; {
		end++
	}
	next := end // where a sign ends
	switch {
	case end == i && s[i] == '.' && (i == 0 || mayPrecedeNet(rune(s[i-1]))):
		for next++; next < len(s) && asciiWord[s[next]] > beyond; {
			next++
		}
		if strings.EqualFold(s[i:next], netWord) {
			end = next
		}
	case end == i+1:
		for next < len(s) && (s[next] == '+' || s[next] == '#') {
			next++
		}
		end += signLen(rune(asciiFold[s[i]]), s[end:])
	}
	return end, next == len(s) || asciiWord[s[next]] != beyond
}

const netWord = ".net"

// mayPrecedeNet reports whether r can stand before the word .net: example.net is two words, and so is the end of "and so on...net".
func mayPrecedeNet(r rune) bool { return r != '.' && (!isWord(r) || isAlone(r)) }

// signLen returns the length of the sign at the start of rest that makes another word of a single letter.
func signLen(letter rune, rest string) int {
	switch {
	case letter < 'a' || letter > 'z':
	case strings.HasPrefix(rest, "++"):
		return 2
	case strings.HasPrefix(rest, "#"):
		if next, _ := utf8.DecodeRuneInString(rest[1:]); rest == "#" || isAlone(next) || !isWord(next) {
			return 1
		}
	}
	return 0
}

// tokens is the state of splitting a text.
type tokens struct {
	fn            func(word []byte)
	before        byte // the character before the part that split gets, 0 at the start of the text
	at            int  // where in that part the current word begins
	alone, parted bool // whether the last word is a single character of such a script, and whether a break followed it
}

// split continues with a part of folded text.
func (t *tokens) split(p []byte) {
	last := rune(t.before) // the character before i
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		end := i + size
		t.at = i
		switch {
		case isAlone(r):
			t.lone(p[i:end:end])
		case isWord(r):
			end = i + wordLen(p[i:])
			t.word(p[i:end:end])
		case r == '.' && mayPrecedeNet(last) && bytes.HasPrefix(p[i:], []byte(netWord)) && 1+wordLen(p[i+1:]) == len(netWord):
			end = i + len(netWord)
			t.word(p[i:end:end])
		default:
			t.gap(r)
		}
		last, _ = utf8.DecodeLastRune(p[:end])
		i = end
	}
}

// wordLen returns the length of the word at the start of folded text, with its sign.
func wordLen(p []byte) int {
	n := 0
	for n < len(p) {
		r, size := utf8.DecodeRune(p[n:])
		if isAlone(r) || !isWord(r) {
			break
		}
		n += size
	}
	if n == 1 {
		n += signLen(rune(p[0]), string(p[1:min(len(p), 1+signLenMax)]))
	}
	return n
}

// signLenMax is enough text to recognise a sign: it and the character behind it.
const signLenMax = 1 + utf8.UTFMax

// word yields a word of any length.
func (t *tokens) word(word []byte) {
	t.alone = false
	t.fn(word)
}

// lone yields a single character as a word.
func (t *tokens) lone(word []byte) {
	if t.alone && t.parted {
		t.fn(breakWord)
	}
	t.alone, t.parted = true, false
	t.fn(word)
}

// gap handles a character between words.
func (t *tokens) gap(r rune) {
	if r == '&' {
		t.word(andWord)
		return
	}
	t.parted = t.parted || parts(r)
}

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
