package source

import (
	"bytes"
	"regexp"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// centralBytes are the encodings of the languages between German and Russian.
var centralBytes = [2]struct {
	guessed
	charmap *charmap.Charmap
}{
	{guessed{charmap.Windows1250, "windows-1250", "iso-8859-2"}, charmap.Windows1250},
	{guessed{charmap.ISO8859_2, "iso-8859-2", "windows-1250"}, charmap.ISO8859_2},
}

// centralSign is what a line about a company of Central Europe often has: a domain, a legal form, a country or a large city.
var centralSign = regexp.MustCompile(`(?i)[a-z0-9]\.(?:cz|sk|hu|hr|si|ro|rs|ba|pl)\b|\bs\. ?r\. ?o\b|\ba\. ?s\.|\bd\. ?o\. ?o\b|\bsp\. ?z ?o|\bspol\.|\b(?:kft|zrt|nyrt|bt)\b|` +
	`\b(?:czech|hungar|magyar|slovak|sloven|croat|hrvat|romania|poland|polska|praha|brno|bratislava|budapest|zagreb|ljubljana|warszawa)`)

const centralLinesMin = 3

// guessCentral returns the encoding of a text in a language of Central Europe, and nil for any other. Its letters are signs in Windows-1252, like the
// ³ of "Spó³ka", or else letters of the West, like the ø of "Pøerov"; then the lines must have a sign of where they are from.
func guessCentral(head []byte) *guessed {
	var windows, mac, signs, inWords, odd, fromThere int
	var central, fit [2]int // scores by the letters inside words, and by all
	var windowsFit, macFit int
	var others [2]map[rune]bool // letters that Windows-1252 does not have in their place
	others[0], others[1] = map[rune]bool{}, map[rune]bool{}
	var polish, southern, hooks int
	for line := range bytes.Lines(head) {
		western := false
		for i, b := range line {
			if b < utf8.RuneSelf || i == 0 || i+1 == len(line) {
				continue
			}
			before, after := line[i-1], line[i+1]
			for j, c := range centralBytes {
				fit[j] += plausible(c.charmap, centralLetters, before, b, after)
				if r := unicode.ToLower(c.charmap.DecodeByte(b)); centralLetters[r] && c.charmap.DecodeByte(b) != charmap.Windows1252.DecodeByte(b) {
					others[j][r] = true
				}
			}
			windowsFit += plausible(charmap.Windows1252, usualLetters, before, b, after)
			macFit += plausible(charmap.Macintosh, usualLetters, before, b, after)
			switch b {
			case 0xb3, 0xbf, 0xe6, 0xea, 0xf1: // ł, ż, ć, ę and ń in both
				polish++
			case 0xc8, 0xe8, 0xec, 0xf2, 0xf8, 0xf9: // Č, č, ě, ň, ř and ů in both
				southern++
			case 0xb9, 0xbe: // ą and ľ, or š and ž
				hooks++
			}
			if !isWordByte(before) || !isWordByte(after) {
				continue
			}
			inWords++
			windows += plausible(charmap.Windows1252, usualLetters, before, b, after)
			mac += plausible(charmap.Macintosh, usualLetters, before, b, after)
			isSign, isOther := !unicode.IsLetter(charmap.Windows1252.DecodeByte(b)), false
			for j, c := range centralBytes {
				central[j] += plausible(c.charmap, centralLetters, before, b, after)
				r := c.charmap.DecodeByte(b)
				isOther = isOther || centralLetters[unicode.ToLower(r)] && r != charmap.Windows1252.DecodeByte(b)
			}
			switch {
			case isOther && isSign:
				signs++
			case isOther:
				western = true
			}
		}
		if western {
			odd++
			if centralSign.Match(line) {
				fromThere++
			}
		}
	}
	if southern > polish {
		fit[1] += 4 * hooks
	}
	best := 0
	if fit[1] > fit[0] {
		best = 1
	}
	bySigns := signs >= 2 && 20*signs >= inWords && central[best] > windows
	byLines := fromThere >= centralLinesMin && 5*fromThere >= 3*odd && central[best] >= windows
	const certain = 8 // more than the letters of one word
	const lettersMin = 4
	byFit := len(others[best]) >= lettersMin && fit[best] >= 2*max(windowsFit, macFit)+certain
	if byFit || (bySigns || byLines) && central[best] > mac {
		return &centralBytes[best].guessed
	}
	return nil
}

// isWordByte reports whether the byte is a letter in ASCII, or may be one in an 8-bit encoding.
func isWordByte(b byte) bool { return b >= utf8.RuneSelf || isASCIILetter(b) }
