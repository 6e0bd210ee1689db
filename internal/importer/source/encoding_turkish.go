package source

import (
	"cmp"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

var turkish = guessed{charmap.Windows1254, "windows-1254", "windows-1252"}

// guessLatin returns the encoding of a text in a language of Central Europe or in Turkish; nil for any other.
func guessLatin(head []byte) *guessed { return cmp.Or(guessCentral(head), guessTurkish(head)) }

// guessTurkish returns the encoding of a text in Turkish; nil for any other. Its letters Ğ, İ, Ş, ğ, ı and ş are Ð, Ý, Þ, ð, ý and þ in
// Windows-1252, which only Icelandic and Faroese have, beside many vowels with accents that Turkish lacks.
func guessTurkish(head []byte) *guessed {
	own, foreign, usual := 0, 0, 0
	for _, b := range head {
		switch {
		case b < utf8.RuneSelf:
		case b == 0xd0 || b == 0xdd || b == 0xde || b == 0xf0 || b == 0xfd || b == 0xfe:
			own++
		case b == 0xc7 || b == 0xd6 || b == 0xdc || b == 0xe7 || b == 0xf6 || b == 0xfc || b == 0xe2: // Ç, Ö, Ü, ç, ö, ü and â
			usual++
		default:
			foreign++
		}
	}
	const ownMin = 3
	if own < ownMin || 4*foreign > own || 20*own < own+usual {
		return nil
	}
	return &turkish
}
