package destination

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/remote"
)

// probeName is the name of the file that a test writes. It is always the same, so that tests leave one file at most, and readers of
// folders of data skip names that begin like this.
const probeName = "_capi-test.txt"

// Result is what a test of a destination gave.
type Result struct {
	OK      bool
	Path    string // of the file that was written
	Deleted bool   // whether it was deleted again
	Message string // whole sentences
	Took    time.Duration

	reason remote.Reason
}

// Test writes a small file to the destination and deletes it. A destination where nothing can be deleted works, and the result says
// so. Faults: NotFound; Forbidden if the secrets cannot be decrypted.
func (s *Destinations) Test(ctx context.Context, ws id.Workspace, destination id.Destination) (Result, error) {
	d, err := s.Get(ctx, ws, destination)
	if err != nil {
		return Result{}, err
	}
	secrets, err := s.unseal(d)
	if err != nil {
		return Result{}, err
	}
	return s.probe(ctx, d, secrets)
}

// Open returns a destination and its server, which must be closed. Faults: as Test.
func (s *Destinations) Open(ctx context.Context, ws id.Workspace, destination id.Destination) (Destination, remote.Server, error) {
	d, err := s.Get(ctx, ws, destination)
	if err != nil {
		return Destination{}, nil, err
	}
	secrets, err := s.unseal(d)
	if err != nil {
		return Destination{}, nil, err
	}
	server, err := s.options.Open(d, secrets)
	return d, server, err
}

func (s *Destinations) probe(ctx context.Context, d Destination, secrets Secrets) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	server, err := s.options.Open(d, secrets)
	if err != nil {
		return r, err
	}
	defer server.Close()
	defer func(began time.Time) { r.Took = time.Since(began) }(time.Now())
	r.Path = Folder(d.Prefix, Delivered{CreatedAt: time.Now()}) + probeName
	err = server.Put(ctx, r.Path, "text/plain; charset=utf-8", func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "CAPI wrote this file to test the destination %s. It can be deleted.\n", d.Name)
		return err
	})
	if refused, ok := errors.AsType[*remote.Error](err); ok {
		r.Message, r.reason = refused.Message, refused.Reason
		return r, nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		r.Message, r.reason = fmt.Sprintf("There was no answer within %v.", s.options.Timeout), remote.Unreachable
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("test destination %s: %w", d.ID, err)
	}
	r.OK = true
	if err := server.Delete(ctx, r.Path); err != nil {
		r.Message = "The file " + r.Path + " was written. It could not be deleted, which deliveries do not need, so it stays there."
		return r, nil
	}
	r.Deleted, r.Message = true, "The file "+r.Path+" was written and deleted."
	return r, nil
}

// try returns a Validation fault unless the destination can be written to.
func (s *Destinations) try(ctx context.Context, d Destination, secrets Secrets) error {
	r, err := s.probe(ctx, d, secrets)
	if err != nil || r.OK {
		return err
	}
	field := "s3"
	if d.Kind == SFTP {
		return fault.Invalid(fault.FieldError{Field: hostField(r.reason), Message: "does not work: " + r.Message})
	}
	switch r.reason {
	case remote.NoSuchPlace:
		field = "s3.bucket"
	case remote.BadCredentials, remote.AccessDenied:
		field = "s3.access_key_id"
	case remote.NotAllowed, remote.Unreachable:
		field = "s3.endpoint"
	case remote.HostKeyChanged, remote.Full, remote.Refused:
	}
	return fault.Invalid(fault.FieldError{Field: field, Message: "does not work: " + r.Message})
}
