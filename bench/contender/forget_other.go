//go:build !linux

package contender

import "errors"

// Forget drops the files below dir from the system's cache, if the system supports it.
func Forget(string) (leftBytes int64, err error) {
	return 0, errors.New("only on Linux can files be dropped from memory")
}
