// Package remote is the interface to a place on somebody else's machine that takes files: a bucket, a folder of an SFTP server. It only
// writes, because the rights that customers give us need to be no more than that. It does not know what the files contain.
package remote

import (
	"context"
	"errors"
	"io"
)

// Server takes files. A path is slash-separated. Errors that the server or the way to it causes are an *Error; those of fn are
// returned as they are. Not safe for concurrent use.
type Server interface {
	// Put stores what fn writes. The file becomes visible under its path as a whole, replacing any earlier one. Folders are made. If
	// fn or the writing fails, nothing that has the path changes. It reads nothing from the server that needs a right to read files.
	Put(ctx context.Context, path, contentType string, fn func(io.Writer) error) error

	// Delete deletes a file.
	Delete(ctx context.Context, path string) error

	// Close ends the connection, if there is one.
	Close() error
}

// Writer writes to a server and keeps its error, which Put returns in other words than an error of the function that writes.
type Writer struct {
	To  io.Writer
	Err error // of To; nil if there was none
}

// Write passes p on.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.To.Write(p)
	w.Err = errors.Join(w.Err, err)
	return n, err
}

// Reason is why a server did not take a file.
type Reason string

// The reasons.
const (
	Unreachable    Reason = "unreachable"
	NotAllowed     Reason = "address_not_allowed" // by the operator of our server
	BadCredentials Reason = "bad_credentials"
	AccessDenied   Reason = "access_denied"
	NoSuchPlace    Reason = "no_such_place" // a bucket or a folder is missing
	HostKeyChanged Reason = "host_key_changed"
	Full           Reason = "full"
	Refused        Reason = "refused" // for another reason, which the message has
)

// Error is why a server did not take a file, for people to read.
type Error struct {
	Reason  Reason
	Message string // whole sentences
	Err     error  // for the log
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the technical reason.
func (e *Error) Unwrap() error { return e.Err }
