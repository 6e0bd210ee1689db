package blob

import (
	"fmt"
	"strings"
)

const keyBytesMax = 500

// CheckKey is the fault of a key, nil for a good one. Every store calls it before it touches a key.
// A part that starts with "." is refused: such names belong to the stores.
func CheckKey(key string) error {
	if key == "" || len(key) > keyBytesMax {
		return fmt.Errorf("blob: key of %d bytes", len(key))
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
