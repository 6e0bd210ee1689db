package source

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// withoutNULs drops NUL characters: no text has them, and PostgreSQL does not store them.
type withoutNULs struct {
	io.Reader
	dropped int // in a row
}

func (w *withoutNULs) Read(p []byte) (int, error) {
	for {
		n, err := w.Reader.Read(p)
		if bytes.IndexByte(p[:n], 0) < 0 {
			w.dropped = 0
			return n, err
		}
		kept := p[:0]
		for _, b := range p[:n] {
			if b != 0 {
				kept = append(kept, b)
			}
		}
		if w.dropped += n; len(kept) > 0 {
			w.dropped = 0
		}
		switch {
		case w.dropped > lineBytesMax:
			return 0, errNotText
		case len(kept) > 0 || err != nil:
			return len(kept), err
		}
	}
}

// evidence collects what the bytes that are not UTF-8 say about their 8-bit encoding. No maintained library distinguishes
// Mac Roman from Windows-1252, so both are tried on every such byte, and the one that reads more like a name wins.
type evidence struct {
	windows, mac int    // scores
	tail         []byte // the beginning of a rune that the next block ends
}

// decode converts the source to UTF-8 if one encoding applies to all of it. An 8-bit encoding is left to the cells, because
// a file may mix it with UTF-8; then the evidence for it is returned, which is nil otherwise.
func (s *Source) decode(b *bufio.Reader, head []byte, name string) (io.Reader, *evidence, error) {
	if name != "" {
		e, err := encodingByName(name)
		if err != nil {
			return nil, nil, err
		}
		return transform.NewReader(b, e.NewDecoder()), nil, nil
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		b.Discard(3) //nolint:errcheck // it was peeked at
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		return nil, nil, errors.New("this is UTF-32, which is not supported; convert it first: iconv -f UTF-32 -t UTF-8 FILE | capi import -")
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")), utf16Order(head) != nil:
		order := utf16Order(head)
		if order == nil {
			order = utf.UTF16(utf.LittleEndian, utf.UseBOM)
		}
		return transform.NewReader(b, order.NewDecoder()), nil, nil
	}
	if isBinary(head) {
		return nil, nil, errNotText
	}
	if g := guessEncoding(head); g != nil {
		s.guess = g
		if err := s.prescan(nil); err != nil {
			return nil, nil, err
		}
		return transform.NewReader(b, g.NewDecoder()), nil, nil
	}
	e := &evidence{}
	if err := s.prescan(e); err != nil {
		return nil, nil, err
	}
	return b, e, nil
}

func encodingByName(name string) (encoding.Encoding, error) {
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("unknown encoding %q; common ones are utf-8, utf-16, windows-1252 and macintosh", name)
	}
	return e, nil
}

// utf16Order recognises UTF-16 without a byte order mark by its zeros, which are on one side of each ASCII letter. It
// returns nil for any other text.
func utf16Order(head []byte) encoding.Encoding {
	head = head[:min(len(head), 4096)&^1]
	var even, odd int
	for i := 0; i+1 < len(head); i += 2 {
		if head[i] == 0 {
			even++
		}
		if head[i+1] == 0 {
			odd++
		}
	}
	switch half := len(head) / 2; {
	case half < 4:
	case odd > half/2 && even == 0:
		return utf.UTF16(utf.LittleEndian, utf.IgnoreBOM)
	case even > half/2 && odd == 0:
		return utf.UTF16(utf.BigEndian, utf.IgnoreBOM)
	}
	return nil
}

const prescanBytesMax = 256 << 20

// prescan looks through a regular file before it is read, because the first accented letter may come late, and so may the
// proof that it is a decompression bomb.
func (s *Source) prescan(e *evidence) error {
	if s.file == nil || s.Size == 0 {
		return nil
	}
	f, err := os.Open(s.file.Name())
	if err != nil {
		return fmt.Errorf("open source: %w", err)
	}
	defer f.Close()
	again := New(s.Name, f, s.schema, Options{})
	defer again.Close()
	b, _, err := again.unpack(&again.in)
	if err != nil {
		return nil //nolint:nilerr // reading it will return the same error
	}
	block := make([]byte, 256<<10)
	for read := 0; read < prescanBytesMax; {
		n, err := b.Read(block)
		e.look(block[:n])
		read += n
		if errors.Is(err, errBomb) {
			return err // before anything is loaded
		}
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
	}
	return nil
}

// look scores the bytes of a block that are not UTF-8.
func (e *evidence) look(block []byte) {
	if e == nil {
		return
	}
	if len(e.tail) > 0 {
		block = append(e.tail, block...)
		e.tail = nil
	}
	for i := 0; ; {
		i += asciiLen(block[i:])
		if i == len(block) {
			return
		}
		if !utf8.FullRune(block[i:]) {
			e.tail = bytes.Clone(block[i:])
			return
		}
		r, size := utf8.DecodeRune(block[i:])
		if r != utf8.RuneError || size > 1 {
			i += size
			continue
		}
		var before, after byte = ' ', ' '
		if i > 0 {
			before = block[i-1]
		}
		if i+1 < len(block) {
			after = block[i+1]
		}
		e.windows += plausible(charmap.Windows1252, usualLetters, before, block[i], after)
		e.mac += plausible(charmap.Macintosh, usualLetters, before, block[i], after)
		i++
	}
}

// asciiLen returns how many bytes at the beginning of p are ASCII.
func asciiLen(p []byte) int {
	i := 0
	for ; i+8 <= len(p); i += 8 {
		if binary.LittleEndian.Uint64(p[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(p) && p[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// charset returns the likelier encoding so far; Windows-1252 without evidence.
func (e *evidence) charset() *charmap.Charmap {
	if e != nil && e.mac > e.windows {
		return charmap.Macintosh
	}
	return charmap.Windows1252
}

// plausible scores how well the byte, decoded by c, fits between its neighbours in a name or description. The usual letters are those of the
// languages that use the encoding.
func plausible(c *charmap.Charmap, usual map[rune]bool, before, b, after byte) int {
	r := c.DecodeByte(b)
	inWord := isASCIILetter(before) && isASCIILetter(after)
	lowerBefore, lowerAfter := before >= 'a' && before <= 'z', after >= 'a' && after <= 'z'
	switch {
	case r == utf8.RuneError || r < 0xa0 && !unicode.IsPrint(r):
		return -8
	case unicode.IsUpper(r) && lowerBefore:
		return -4
	case unicode.IsLower(r) && before >= 'A' && before <= 'Z' && after >= 'A' && after <= 'Z':
		return -2
	case r == 'ª' || r == 'º' || r == 'ı' || r == 'ƒ':
		return -3
	case usual[r]:
		return 4
	case unicode.IsUpper(r) && !isASCIILetter(before) && lowerAfter:
		return 2
	case unicode.IsLetter(r):
		return 1
	case r == '’':
		return 3
	case r == '™' || r == '®' || r == '©':
		return 2
	case strings.ContainsRune("“”‘–—…•€£·«»\u00a0", r):
		if inWord {
			return -1
		}
		return 1
	}
	return -3
}

var usualLetters, centralLetters = runes("éèêëáàâäãåíìîïóòôöõøúùûüçñßæ"), runes("ąćęłńóśźżáčďéěíňřšťúůýžäľĺôŕöőüűăâîşţđëçß")

func runes(text string) map[rune]bool {
	m := map[rune]bool{}
	for _, r := range text {
		m[r] = true
	}
	return m
}

func isASCIILetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// decodeText decodes text that mixes UTF-8 with an 8-bit encoding.
func decodeText(c *charmap.Charmap, p []byte) string {
	out := make([]byte, 0, len(p)+len(p)/4)
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size <= 1 {
			r = c.DecodeByte(p[0])
		}
		out = utf8.AppendRune(out, r)
		p = p[size:]
	}
	return string(out)
}
