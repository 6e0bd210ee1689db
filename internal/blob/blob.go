// Package blob is the seam to where files lie: put, open, sign a link, delete.
// It knows nothing of what is in them.
package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// Store keeps files by key: slash-separated, letters, digits, "-", "_" and "." only. Safe for concurrent use.
type Store interface {
	// Put writes what fn writes and makes it visible under key at once, replacing what was there.
	// If fn or the writing fails, nothing changes. It returns size and SHA-256 of the file.
	Put(ctx context.Context, key string, fn func(io.Writer) error) (Info, error)

	// Open reads a file; ErrNotFound if there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Stat tells a file's size; ErrNotFound if there is none. SHA256 is only filled where the store keeps it.
	Stat(ctx context.Context, key string) (Info, error)

	// SignedURL is a link that anybody may GET, ranges too, until it expires. It is absolute, or a path of this
	// server for a store that the server itself serves.
	SignedURL(ctx context.Context, key string, link Link) (string, error)

	// Delete removes a file; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Info describes a file.
type Info struct {
	SizeBytes int64
	SHA256    [32]byte
}

// Link says how a signed URL is answered.
type Link struct {
	ExpiresAt   time.Time
	FileName    string // for Content-Disposition; any text
	ContentType string
}

// ErrNotFound is the answer for a key without a file.
var ErrNotFound = errors.New("blob: no such file")
