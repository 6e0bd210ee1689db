package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	resumesMax  = 5 // in a row, without a byte between them
	resumePause = 200 * time.Millisecond
)

// reader reads an object, on several connections if they are lost.
type reader struct {
	ctx   context.Context //nolint:containedctx // of the Open, which an io.Reader cannot get otherwise
	store *Store
	key   string

	body    io.ReadCloser
	etag    *string // of the version that is read
	read    int64   // bytes
	resumed int     // since the last byte
}

// open requests what has not been read yet, of the same version.
func (r *reader) open() error {
	in := &s3.GetObjectInput{Bucket: &r.store.options.Bucket, Key: r.store.name(r.key), IfMatch: r.etag}
	if r.read > 0 {
		from := fmt.Sprintf("bytes=%d-", r.read)
		in.Range = &from
	}
	got, err := r.store.client.GetObject(r.ctx, in)
	if err != nil {
		var response *awshttp.ResponseError
		if errors.As(err, &response) && response.HTTPStatusCode() == http.StatusPreconditionFailed {
			return fmt.Errorf("it was replaced while it was read: %w", err)
		}
		return missing(err)
	}
	r.body, r.etag = got.Body, got.ETag
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.read += int64(n)
	if n > 0 {
		r.resumed = 0
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	for r.resumed < resumesMax && r.ctx.Err() == nil {
		r.resumed++
		r.body.Close() // lost already
		pause := time.NewTimer(resumePause << r.resumed)
		select {
		case <-r.ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
		if err = r.open(); err == nil {
			return n, nil
		}
		r.body = http.NoBody
	}
	return n, fmt.Errorf("read %s: %w", r.key, errors.Join(err, r.ctx.Err()))
}

func (r *reader) Close() error { return r.body.Close() }
