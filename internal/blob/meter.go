package blob

import (
	"crypto/sha256"
	"hash"
	"io"
)

// Meter is a writer that counts and hashes what it passes on.
type Meter struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

// NewMeter returns a Meter that writes to w.
func NewMeter(w io.Writer) *Meter { return &Meter{w: w, hash: sha256.New()} }

func (m *Meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.hash.Write(p[:n])
	m.n += int64(n)
	return n, err
}

// Info returns the size and SHA-256 of what was written.
func (m *Meter) Info() Info {
	info := Info{SizeBytes: m.n}
	m.hash.Sum(info.SHA256[:0])
	return info
}
