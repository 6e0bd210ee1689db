// Package diskspace measures the file system that holds a directory.
package diskspace

// Space is the size of a file system.
type Space struct {
	FreeBytes  uint64 // what this process may still write
	TotalBytes uint64
}

// Of returns the space of the file system that holds the directory. The error is errors.ErrUnsupported on platforms where it
// cannot be measured.
func Of(dir string) (Space, error) { return of(dir) }
