package s3

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/s3/multipart"
)

const (
	// abandonedAfter is the age from which an upload is taken for the remains of a crashed writer.
	abandonedAfter = 24 * time.Hour
	putMark        = "put" // the name of the metadata that names the Put that wrote an object
)

// Put uploads an object in parts. What it cannot delete of an upload that failed, Prune deletes later.
func (s *Store) Put(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, err
	}
	mark := rand.Text()
	o := multipart.Object{Bucket: s.options.Bucket, Key: *s.name(key), Metadata: map[string]string{putMark: mark}, IsThere: func() bool {
		head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.options.Bucket, Key: s.name(key)})
		return err == nil && head.Metadata[putMark] == mark
	}}
	var meter *blob.Meter
	err := multipart.Put(ctx, s.client, o, func(w io.Writer) error {
		meter = blob.NewMeter(w)
		return fn(meter)
	})
	if err != nil {
		return blob.Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	return meter.Info(), nil
}

func (s *Store) abort(ctx context.Context, name, id string) error {
	return multipart.Abort(ctx, s.client, s.options.Bucket, name, id)
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
