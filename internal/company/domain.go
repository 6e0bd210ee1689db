package company

import (
	"strings"

	"golang.org/x/net/idna"
)

// CleanDomain returns the comparable domain of a host or a URL: lower case, ASCII (punycode), without scheme, user, port,
// path, www. and trailing dot. It returns false if s is not a host name with at least two labels.
func CleanDomain(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if _, rest, ok := strings.Cut(s, "//"); ok {
		s = rest
	}
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && isPort(s[i+1:]) {
		s = s[:i]
	}
	host, ok := asciiHost(s)
	if !ok {
		return "", false
	}
	if bare := strings.TrimPrefix(host, "www."); strings.Contains(bare, ".") {
		host = bare
	}
	return host, isHost(host)
}

func asciiHost(s string) (string, bool) {
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	for i := range len(s) {
		if s[i] >= 0x80 || strings.HasPrefix(s[i:], "xn--") {
			host, err := idna.Lookup.ToASCII(s)
			return strings.TrimSuffix(host, "."), err == nil
		}
	}
	return s, true
}

func isPort(s string) bool { return len(s) <= 5 && strings.Trim(s, "0123456789") == "" }

// isHost reports whether s is a host name: two or more labels of letters, digits, underscores and inner hyphens, not an IP address.
func isHost(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return len(last) > 1 && strings.Trim(last, "0123456789") != "" // that of an IP address has digits only
}
