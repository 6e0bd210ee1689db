package blob

import (
	"fmt"
	"strings"
)

const keyBytesMax = 500

// CheckKey returns an error for a malformed key. Every store calls it before it uses a key.
// It refuses a part that starts with ".": stores use such names themselves.
func CheckKey(key string) error {
	if key == "" || len(key) > keyBytesMax {
		return fmt.Errorf("blob: key of %d bytes; it must have 1 to %d", len(key), keyBytesMax)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || strings.ContainsFunc(part, outside) {
			return fmt.Errorf("blob: bad key %q", key)
		}
	}
	return nil
}

func outside(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}
