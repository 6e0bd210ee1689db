package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// EachJoint calls fn, in order, with the words left and right of each apostrophe that people leave out: McDonald's is also
// written McDonalds, L'Oréal Loreal, and O'Reilly Oreilly. Both words are adjacent in Tokens(s). An apostrophe counts if an s
// follows it or a single letter precedes it. That of I'll does not count, because ill is another word.
func EachJoint(s string, fn func(left, right string)) {
	if !mayHaveApostrophe(s) {
		return
	}
	s = Fold(s)
	for at := range len(s) {
		if s[at] != '\'' {
			continue
		}
		left, right := s[lastWord(s[:at]):at], s[at+1:at+1+firstWord(s[at+1:])]
		if left != "" && right != "" && (right == "s" || isElided(left)) {
			fn(left, right)
		}
	}
}

// mayHaveApostrophe is a cheap filter without false negatives: every character that Fold turns into an apostrophe
// (' ŉ ʻ ʼ ‘ ’ ‛ ＇) starts with one of these bytes.
func mayHaveApostrophe(s string) bool {
	for _, c := range []byte{'\'', 0xe2, 0xc5, 0xca, 0xef} {
		if strings.IndexByte(s, c) >= 0 {
			return true
		}
	}
	return false
}

// isElided reports whether the word is an elided article, such as the l of L'Oréal.
func isElided(left string) bool {
	r, size := utf8.DecodeRuneInString(left)
	return size == len(left) && unicode.IsLetter(r) && r != 'i'
}

// lastWord returns the start of the last word of folded text.
func lastWord(s string) int {
	start := len(s)
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:start])
		if isAlone(r) || !isWord(r) {
			break
		}
		start -= size
	}
	return start
}

// firstWord returns the end of the first word of folded text.
func firstWord(s string) int {
	for i, r := range s {
		if isAlone(r) || !isWord(r) {
			return i
		}
	}
	return len(s)
}
