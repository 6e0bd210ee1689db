package source

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// guessed is an encoding that a text most likely has. Its names are those that --encoding takes.
type guessed struct {
	encoding.Encoding
	name, alternative string
}

func (g *guessed) notice() string {
	return "is read as " + g.name + ", which is a guess; if the names look wrong, undo the import and repeat it with --encoding " + g.alternative
}

// doubleBytes are the encodings of two bytes a character, with the first bytes of their most common characters.
var doubleBytes = []struct {
	guessed
	from, to   byte
	kana       bool // the text must have some, or a word of every Japanese list
	shareMin   float64
	secondHigh bool // both bytes of a common character are above ASCII
}{
	{guessed{japanese.ShiftJIS, "shift_jis", "gb18030"}, 0x81, 0x98, false, 0.6, false},
	{guessed{japanese.EUCJP, "euc-jp", "gb18030"}, 0xa4, 0xcf, true, 0.8, true},
	{guessed{korean.EUCKR, "euc-kr", "gb18030"}, 0xb0, 0xc8, false, 0.95, true},
	{guessed{simplifiedchinese.GB18030, "gb18030", "big5"}, 0xb0, 0xd7, false, 0.7, true},
	{guessed{traditionalchinese.Big5, "big5", "gb18030"}, 0xa4, 0xc6, false, 0.7, false},
}

// singleBytes are the encodings of alphabets that have all letters above ASCII.
var singleBytes = []struct {
	guessed
	script *unicode.RangeTable
}{
	{guessed{charmap.Windows1251, "windows-1251", "koi8-r"}, unicode.Cyrillic},
	{guessed{charmap.KOI8R, "koi8-r", "windows-1251"}, unicode.Cyrillic},
	{guessed{charmap.CodePage866, "ibm866", "windows-1251"}, unicode.Cyrillic},
	{guessed{charmap.Windows1253, "windows-1253", "iso-8859-7"}, unicode.Greek},
	{guessed{charmap.Windows1255, "windows-1255", "iso-8859-8"}, unicode.Hebrew},
	{guessed{charmap.Windows1256, "windows-1256", "iso-8859-6"}, unicode.Arabic},
	{guessed{charmap.Windows874, "windows-874", "windows-1252"}, unicode.Thai},
}

const guessBytesMax = 64 << 10

// guessEncoding returns the encoding of a text in a script other than Latin, or in a language of Central Europe; nil for other Latin text, and
// for UTF-8.
func guessEncoding(head []byte) *guessed {
	head = head[:min(len(head), guessBytesMax)]
	if i := bytes.LastIndexByte(head, '\n'); i > 0 {
		head = head[:i]
	}
	high, inRuns, invalid, multi := 0, 0, 0, 0
	for i := 0; i < len(head); {
		run := 0
		for i+run < len(head) && head[i+run] >= utf8.RuneSelf {
			run++
		}
		if high += run; run >= 3 {
			inRuns += run
		}
		for p := head[i : i+run]; len(p) > 0; {
			r, size := utf8.DecodeRune(p)
			if r == utf8.RuneError && size == 1 {
				invalid++
			} else {
				multi++
			}
			p = p[size:]
		}
		i += run + 1
	}
	if invalid < 2 || 4*multi > 3*invalid {
		return nil // UTF-8, perhaps mixed with an 8-bit encoding
	}
	mixed := 4*multi > invalid // or two bytes of another encoding that happen to be UTF-8
	if invalid < 4 && !mixed {
		return guessLatin(head)
	}
	for i := range doubleBytes {
		d := &doubleBytes[i]
		if doubleByteShare(d.Encoding, d.from, d.to, d.kana, d.secondHigh, head) >= d.shareMin {
			return &d.guessed
		}
	}
	if mixed {
		return nil
	}
	if 2*inRuns < high {
		if 20*multi > invalid {
			return nil
		}
		return guessLatin(head)
	}
	var best *guessed
	most := 0
	for i := range singleBytes {
		s := &singleBytes[i]
		if score := alphabetScore(s.Encoding, s.script, head); score > most && 10*score >= 7*high {
			most, best = score, &s.guessed
		}
	}
	return best
}

// doubleByteShare returns the share of the characters above ASCII that are common ones; 0 if the text cannot have the encoding:
// it has bytes that the encoding lacks, or its characters stand alone between Latin letters.
func doubleByteShare(e encoding.Encoding, from, to byte, needsKana, secondHigh bool, head []byte) float64 {
	text, err := e.NewDecoder().Bytes(head)
	if err != nil {
		return 0
	}
	wide, alone, bad, kana, before := 0, 0, 0, 0, 0
	for _, r := range string(text) + " " {
		if r < utf8.RuneSelf {
			if before == 1 {
				alone++
			}
			before = 0
			continue
		}
		before++
		switch {
		case r == utf8.RuneError || r >= 0xff61 && r <= 0xff9f || unicode.Is(unicode.Co, r):
			bad++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		}
		wide++
	}
	if wide == 0 || 50*bad > wide || 4*alone > wide || needsKana && 10*kana < wide && !strings.Contains(string(text), "会社") {
		return 0
	}
	common, all := 0, 0
	for i := 0; i+1 < len(head); i++ {
		if head[i] < utf8.RuneSelf {
			continue
		}
		if all++; head[i] >= from && head[i] <= to && (head[i+1] > 0xa0 || !secondHigh) {
			common++
		}
		i++
	}
	return float64(common) / float64(all)
}

// alphabetScore counts the letters of the script, less those whose case does not fit: a capital after a small letter.
func alphabetScore(e encoding.Encoding, script *unicode.RangeTable, head []byte) int {
	text, err := e.NewDecoder().Bytes(head)
	if err != nil {
		return 0
	}
	score, before, capital, small := 0, ' ', false, false
	for _, r := range string(text) {
		switch {
		case r < utf8.RuneSelf:
		case !unicode.Is(script, r):
			score--
		case unicode.IsUpper(r) && unicode.IsLower(before):
			score -= 2
		default:
			score++
		}
		before = r
		capital = capital || r >= utf8.RuneSelf && unicode.IsUpper(r)
		small = small || r >= utf8.RuneSelf && unicode.IsLower(r)
	}
	if small != capital {
		score = score * 9 / 10 // names have both, so it is rather a script without capitals
	}
	return score
}
