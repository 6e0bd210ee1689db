package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/opencapi/capi/internal/blob"
)

const (
	partBytes = 8 << 20 // of all parts but the last; a bucket accepts 10,000 parts, so a file may have 80 GB
	// abandonedAfter is the age from which an upload is taken for the remains of a crashed writer.
	abandonedAfter = 24 * time.Hour
	abortTimeout   = 30 * time.Second
	putMark        = "put" // the name of the metadata that names the Put that wrote an object
)

// Put uploads an object in parts, which become visible together when the last one is there. A small object is one request. It keeps
// at most one part in memory.
func (s *Store) Put(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, err
	}
	u := &upload{ctx: ctx, store: s, name: s.name(key), mark: rand.Text()}
	meter := blob.NewMeter(u)
	err := fn(meter)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = u.finish()
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("put %s: %w", key, errors.Join(err, u.abandon()))
	}
	return meter.Info(), nil
}

// upload is an object being written.
type upload struct {
	ctx   context.Context //nolint:containedctx // of the Put, which an io.Writer cannot get otherwise
	store *Store
	name  *string
	mark  string // the value of putMark
	part  bytes.Buffer
	id    string // empty as long as everything fits into one part
	sent  []types.CompletedPart
}

// Write sends a part whenever one is full.
func (u *upload) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		taken := min(len(p), partBytes-u.part.Len())
		u.part.Write(p[:taken])
		n, p = n+taken, p[taken:]
		if u.part.Len() == partBytes && len(p) > 0 {
			if err := u.send(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// send uploads the part, and begins the upload if it is the first one.
func (u *upload) send() error {
	if u.id == "" {
		begun, err := u.store.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.store.options.Bucket, Key: u.name, Metadata: map[string]string{putMark: u.mark},
		})
		if err != nil {
			return err
		}
		u.id = *begun.UploadId
	}
	number := aws.Int32(int32(len(u.sent) + 1)) //nolint:gosec // at most 10,000
	got, err := u.store.client.UploadPart(u.ctx, &s3.UploadPartInput{
		Bucket: &u.store.options.Bucket, Key: u.name, UploadId: &u.id, PartNumber: number, Body: bytes.NewReader(u.part.Bytes()),
	})
	if err != nil {
		return err
	}
	u.sent = append(u.sent, types.CompletedPart{ETag: got.ETag, PartNumber: number})
	u.part.Reset()
	return nil
}

// finish makes the object visible.
func (u *upload) finish() error {
	if u.id == "" {
		_, err := u.store.client.PutObject(u.ctx, &s3.PutObjectInput{
			Bucket: &u.store.options.Bucket, Key: u.name, Body: bytes.NewReader(u.part.Bytes()),
			Metadata: map[string]string{putMark: u.mark},
		})
		return err
	}
	if err := u.send(); err != nil {
		return err
	}
	_, err := u.store.client.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.store.options.Bucket, Key: u.name, UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.sent},
	})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoSuchUpload" && u.isThere() {
		return nil // an earlier attempt completed it, and only its answer was lost
	}
	return err
}

// isThere reports whether the object is what this upload wrote.
func (u *upload) isThere() bool {
	head, err := u.store.client.HeadObject(u.ctx, &s3.HeadObjectInput{Bucket: &u.store.options.Bucket, Key: u.name})
	return err == nil && head.Metadata[putMark] == u.mark
}

// abandon deletes the parts of an upload that failed. What it cannot delete now, Prune deletes later.
func (u *upload) abandon() error {
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	return u.store.abort(ctx, *u.name, u.id)
}

func (s *Store) abort(ctx context.Context, name, id string) error {
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.options.Bucket, Key: &name, UploadId: &id})
	var api smithy.APIError
	if err != nil && (!errors.As(err, &api) || api.ErrorCode() != "NoSuchUpload") {
		return fmt.Errorf("abort upload of %s: %w", name, err)
	}
	return nil
}

// Prune deletes the parts of uploads that were begun a day ago or earlier and have not ended: their writers have crashed.
func (s *Store) Prune(ctx context.Context) error {
	return s.prune(ctx, time.Now().Add(-abandonedAfter))
}

func (s *Store) prune(ctx context.Context, before time.Time) error {
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{Bucket: &s.options.Bucket, Prefix: s.name("")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list unfinished uploads: %w", err)
		}
		for _, u := range page.Uploads {
			if u.Initiated == nil || u.Initiated.After(before) {
				continue
			}
			if err := s.abort(ctx, *u.Key, *u.UploadId); err != nil {
				return err
			}
		}
	}
	return nil
}
