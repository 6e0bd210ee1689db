package importer

import (
	"strings"
	"unicode/utf8"
)

// unescapeBytes decodes UTF-8 that a program wrote out as the escapes of its bytes: Caf\xc3\xa9 is Café. Escapes whose bytes
// are not valid UTF-8 stay, as does a backslash before anything else. Text in the b'…' of Python loses that, too.
func unescapeBytes(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var out strings.Builder
	decoded := false
	for i := 0; i < len(s); {
		run, n := escapedBytes(s[i:])
		switch {
		case n == 0:
			out.WriteByte(s[i])
			i++
			continue
		case utf8.Valid(run):
			out.Write(run)
			decoded = true
		default:
			out.WriteString(s[i : i+n])
		}
		i += n
	}
	text := out.String()
	if n := len(text); decoded && n > 3 && text[0] == 'b' && (text[1] == '\'' || text[1] == '"') && text[n-1] == text[1] {
		text = text[2 : n-1]
	}
	return text
}

// escapedBytes returns the bytes that the escapes at the beginning of s stand for, and the length of the escapes. Only
// bytes above ASCII are taken: the others have no need of an escape, so it is more likely a path or a pattern.
func escapedBytes(s string) (run []byte, n int) {
	for strings.HasPrefix(s[n:], `\x`) && len(s) >= n+4 {
		high, ok1 := hexDigit(s[n+2])
		low, ok2 := hexDigit(s[n+3])
		if !ok1 || !ok2 || high < 8 {
			break
		}
		run = append(run, high<<4|low)
		n += 4
	}
	return run, n
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
