package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// EachJoint calls fn with what stands left and right of each apostrophe that people leave out, in order: McDonald's is
// written McDonalds, L'Oréal Loreal and O'Reilly Oreilly too. Both are words of Tokens(s), side by side. It is an s behind
// the apostrophe that makes a joint, or one letter before it; not that of I'll, which would be another word.
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

// mayHaveApostrophe is cheap and has no false no: what Fold makes an apostrophe (' ŉ ʻ ʼ ‘ ’ ‛ ＇) begins with one of these
// bytes.
func mayHaveApostrophe(s string) bool {
	for _, c := range []byte{'\'', 0xe2, 0xc5, 0xca, 0xef} {
		if strings.IndexByte(s, c) >= 0 {
			return true
		}
	}
	return false
}

// isElided holds for the l of L'Oréal.
func isElided(left string) bool {
	r, size := utf8.DecodeRuneInString(left)
	return size == len(left) && unicode.IsLetter(r) && r != 'i'
}

// lastWord is where the word begins that folded text ends in.
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

// firstWord is where the word ends that folded text begins with.
func firstWord(s string) int {
	for i, r := range s {
		if isAlone(r) || !isWord(r) {
			return i
		}
	}
	return len(s)
}
