//go:build !linux

package contender

import "errors"

// Forget drops the files below dir from the system's memory, where that can be asked for.
func Forget(string) (leftBytes int64, err error) {
	return 0, errors.New("only on Linux can files be dropped from memory")
}
