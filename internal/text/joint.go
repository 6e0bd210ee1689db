package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Linked is a word of Tokens with the folded text between it and the word before. The Gap is empty at the start of the text,
// between characters of a script without spaces, and before a Break.
type Linked struct{ Word, Gap string }

// Links returns the words of Tokens(s), each with the text before it. A dash between clauses is a space, not a hyphen.
func Links(s string) []Linked {
	folded := []byte(Fold(dashes.Replace(s)))
	var all []Linked
	var t tokens
	end := 0 // of the last word
	t.fn = func(word []byte) {
		if string(word) == Break {
			all = append(all, Linked{Word: Break})
			return
		}
		all = append(all, Linked{string(word), string(folded[end:t.at])})
		end = t.at + len(word)
		if folded[t.at] == '&' {
			end = t.at + 1
		}
	}
	t.split(folded)
	return all
}

var dashes = strings.NewReplacer("—", " ", "―", " ", "⸺", " ", "⸻", " ")

// The number of parts of a Joint and its length in bytes are bounded: nobody leaves the hyphens of a longer one out.
const (
	jointPartsMax = 6
	jointBytesMax = 40
)

// JointLen returns the number of words at the start of links that people also write as one: those of McDonald's (McDonalds),
// L'Oréal (Loreal), e-commerce (ecommerce), Coca-Cola and U.S. (US). It is 0 if the first word is joined to nothing.
//
// An apostrophe counts if an s follows it or a single letter precedes it. That of I'll does not count, because ill is another
// word. A hyphen does not count between digits: 9-11 is not 911. A point counts between single letters.
func JointLen(links []Linked) int {
	if len(links) < 2 || !isPart(links[0].Word) {
		return 0
	}
	first, gap := links[0].Word, links[1].Gap
	if gap == "'" {
		if second := links[1].Word; isPart(second) && (second == "s" || isElided(first)) {
			return 2
		}
		return 0
	}
	if gap != "-" && gap != "." || gap == links[0].Gap { // the latter is the middle of words that are not joined
		return 0
	}
	n, size := 1, len(first)
	for ; n < len(links) && links[n].Gap == gap; n++ {
		last, next := links[n-1].Word, links[n].Word
		if gap == "." && (!isLetter(last) || !isLetter(next)) {
			break // J.P.Morgan begins with a joint
		}
		if !isPart(next) || gap == "-" && EndsInDigit(last) && StartsWithDigit(next) {
			return 0
		}
		size += len(next)
	}
	if n == 1 || n > jointPartsMax || size > jointBytesMax {
		return 0
	}
	return n
}

// EachJoint calls fn with each word that JointLen finds in the text, joined, in order.
func EachJoint(s string, fn func(joined string)) {
	if !mayHaveJoint(s) {
		return
	}
	links := Links(s)
	for i := 0; i < len(links); {
		n := JointLen(links[i:])
		if n == 0 {
			i++
			continue
		}
		var b strings.Builder
		for _, l := range links[i : i+n] {
			b.WriteString(l.Word)
		}
		fn(b.String())
		if links[i+1].Gap != "'" {
			i += n
			continue
		}
		i++ // the s of O'Reilly's is joined to Reilly
	}
}

// mayHaveJoint is a cheap filter without false negatives: a hyphen or point inside a word, or the first byte of a character
// that Fold turns into a hyphen, a point or an apostrophe.
func mayHaveJoint(s string) bool {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\'', 0xc5, 0xca, 0xd6, 0xe2, 0xef: // ŉ ʻ ʼ ֊ ־ ‘ ’ ‐ ⸗ － and others
			return true
		case 0xe1, 0xe3:
			if strings.HasPrefix(s[i:], "᠆") || strings.HasPrefix(s[i:], "゠") || strings.HasPrefix(s[i:], "\xe3\x8f") { // the last: ㏂ is a.m.
				return true
			}
		case '-':
			if i > 0 && i+1 < len(s) && mayBeWord(s[i-1]) && mayBeWord(s[i+1]) {
				return true
			}
		case '.':
			if i+1 < len(s) && asciiWord[s[i+1]] != separator && (i+2 == len(s) || asciiWord[s[i+2]] <= beyond) {
				return true
			}
		}
	}
	return false
}

// mayBeWord reports whether the byte can belong to a word, or can be one as an ampersand is.
func mayBeWord(c byte) bool { return asciiWord[c] != separator || c == '&' }

// isPart reports whether the word can be part of a joint: not a Break, nor a character of a script without spaces, and
// without a sign.
func isPart(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	return isWord(r) && isWord(last) && !isAlone(r)
}

// isElided reports whether the word is an elided article, such as the l of L'Oréal.
func isElided(left string) bool { return isLetter(left) && left != "i" }

func isLetter(word string) bool {
	r, size := utf8.DecodeRuneInString(word)
	return size == len(word) && unicode.IsLetter(r)
}

// EndsInDigit reports whether the word's last character is a digit.
func EndsInDigit(word string) bool {
	r, _ := utf8.DecodeLastRuneInString(word)
	return unicode.IsNumber(r)
}

// StartsWithDigit reports whether the word's first character is a digit.
func StartsWithDigit(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsNumber(r)
}
