package file

import (
	"hash"
	"io"
)

// counter is a writer that hashes and counts the bytes.
type counter struct {
	hash hash.Hash
	w    io.Writer
	n    int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}
