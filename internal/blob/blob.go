// Package blob is the interface to a store of files: put, open, stat, sign a link, delete.
// It does not know what the files contain.
package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// Store keeps files by key. Keys are slash-separated and consist of letters, digits, "-", "_" and ".". Safe for concurrent
// use.
type Store interface {
	// Put stores what fn writes. The file becomes visible under key at once and as a whole, replacing any earlier one.
	// If fn or the writing fails, nothing changes. It returns the size and SHA-256 of the file.
	Put(ctx context.Context, key string, fn func(io.Writer) error) (Info, error)

	// Open opens a file for reading. ErrNotFound if it does not exist.
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Stat returns a file's size. ErrNotFound if it does not exist. SHA256 is set only if the store keeps it.
	Stat(ctx context.Context, key string) (Info, error)

	// SignedURL returns a link that anyone may GET until it expires, also in ranges. It is absolute, or a path of this
	// server if the server itself serves the store's files.
	SignedURL(ctx context.Context, key string, link Link) (string, error)

	// Delete deletes a file. It returns nil if the file does not exist.
	Delete(ctx context.Context, key string) error
}

// Info describes a file.
type Info struct {
	SizeBytes int64
	SHA256    [32]byte
}

// Link describes the answer to a signed URL.
type Link struct {
	ExpiresAt   time.Time
	FileName    string // for Content-Disposition; any text
	ContentType string
}

// ErrNotFound is the error for a key without a file.
var ErrNotFound = errors.New("blob: no such file")
