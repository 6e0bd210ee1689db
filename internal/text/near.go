package text

import (
	"math/bits"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Nearest returns the known spelling that given most likely means, by edit distance on folded text. It is empty if none is
// near, which means within a third of the longer one's length, and within half of what is left of it without the words that
// both begin or end with: exclude_bogus is not a typing error for exclude_cities. If several are equally near, the first wins. For
// up to three letters, a spelling must also start the same and have one letter more, or two swapped: CO is not a typing error for CA.
func Nearest(given string, known []string) string {
	best, bestDistance := "", -1
	n := NewNear(Fold(given))
	for _, k := range known {
		folded := Fold(k)
		bound := (max(len(n.given), utf8.RuneCountInString(folded)) + 2) / 3
		if bestDistance >= 0 {
			bound = min(bound, bestDistance-1)
		}
		if d := n.Distance([]byte(folded), bound); d <= bound && differLittle(n.given, n.word, d) {
			best, bestDistance = k, d
		}
	}
	return best
}

// differLittle reports whether the distance is at most half of the longer one's length, without the words that both begin or end
// with, or what is left of one is the beginning of the other: tech_categories is short for technology_categories.
func differLittle(a, b []rune, distance int) bool {
	begin := sharedWords(a, b, func(w []rune, i int) rune { return w[i] })
	a, b = a[begin:], b[begin:]
	end := sharedWords(a, b, func(w []rune, i int) rune { return w[len(w)-1-i] })
	a, b = a[:len(a)-end], b[:len(b)-end]
	if len(a) > len(b) {
		a, b = b, a
	}
	return 2*distance <= len(b) || len(a) > 0 && slices.Equal(a, b[:len(a)])
}

// sharedWords returns the length of the whole words that a and b have in common, in the order in which at returns their runes.
func sharedWords(a, b []rune, at func(word []rune, i int) rune) (length int) {
	for i := range min(len(a), len(b)) {
		r := at(a, i)
		if r != at(b, i) {
			break
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			length = i + 1
		}
	}
	return length
}

// Near measures how near folded words are to a given one. It is not safe for concurrent use.
type Near struct {
	given   []rune
	letters letters
	word    []rune // scratch
	rows    []int  // scratch
}

// NewNear returns a measure of the distance to a folded word.
func NewNear(given string) *Near {
	runes := []rune(given)
	return &Near{given: runes, letters: lettersOf(runes)}
}

// Len returns the number of characters of the given word.
func (n *Near) Len() int { return len(n.given) }

// Distance returns the edit distance of a folded word, or any number above the bound if it exceeds the bound. A short word is
// only near to one that slips.
func (n *Near) Distance(word []byte, bound int) int {
	over := bound + 1
	if len(n.given) > len(word)+bound || len(word) > utf8.UTFMax*(len(n.given)+bound) {
		return over
	}
	n.word = n.word[:0]
	for len(word) > 0 {
		r, size := utf8.DecodeRune(word)
		n.word, word = append(n.word, r), word[size:]
	}
	if len(n.given) <= shortRunes {
		if bound = min(bound, 1); !slips(n.given, n.word) {
			return over
		}
	}
	if max(len(n.given)-len(n.word), len(n.word)-len(n.given)) > bound || n.letters.distance(lettersOf(n.word)) > bound {
		return over
	}
	size := 3 * (len(n.word) + 1)
	n.rows = slices.Grow(n.rows[:0], size)[:size]
	if d := distance(n.given, n.word, bound, n.rows); d <= bound {
		return d
	}
	return over
}

// shortRunes is the length up to which nearly every word is within a third of nearly every other.
const shortRunes = 3

// slips reports whether both start with the same letter and neither replaces a letter of the other.
func slips(short, known []rune) bool {
	if len(short) == 0 || len(known) == 0 || short[0] != known[0] {
		return false
	}
	return len(short) != len(known) || lettersOf(short) == lettersOf(known)
}

// letters is the set of the letters of a word; several letters share a bit.
type letters uint64

func lettersOf(word []rune) (l letters) {
	for _, r := range word {
		l |= 1 << (r % 64)
	}
	return l
}

// distance is a lower bound of the edit distance: an edit adds or removes at most one letter.
func (l letters) distance(o letters) int {
	return max(bits.OnesCount64(uint64(l&^o)), bits.OnesCount64(uint64(o&^l)))
}

// distance returns the number of insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string
// alignment). If it exceeds the bound, the result is any number above the bound. It uses rows, three of length len(b)+1.
func distance(a, b []rune, bound int, rows []int) int {
	before, last, row := rows[:len(b)+1], rows[len(b)+1:2*(len(b)+1)], rows[2*(len(b)+1):]
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		least := row[0]
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
			least = min(least, d)
		}
		if least > bound {
			return bound + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
