// Package multipart writes an object of a bucket in parts. It needs no permission but those to put objects and to abort uploads.
package multipart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const (
	partBytes    = 8 << 20 // of all parts but the last; a bucket accepts 10,000 parts, so a file may have 80 GB
	abortTimeout = 30 * time.Second
)

// Object is what to write.
type Object struct {
	Bucket, Key string
	Type        string            // its media type; empty for the bucket's default
	Metadata    map[string]string // without x-amz-meta-

	// IsThere reports whether the object is what an earlier attempt to complete this upload wrote. Defaults to no.
	IsThere func() bool
}

// Put uploads what fn writes in parts, which become visible together when the last one is there. A small object is one request. It
// keeps at most one part in memory. If fn or the upload fails, nothing changes.
func Put(ctx context.Context, client *s3.Client, o Object, fn func(io.Writer) error) error {
	u := &upload{ctx: ctx, client: client, object: o}
	err := fn(u)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = u.finish()
	}
	if err != nil {
		return errors.Join(err, u.abandon())
	}
	return nil
}

// Abort deletes the parts of an upload. It returns nil if there is no such upload.
func Abort(ctx context.Context, client *s3.Client, bucket, key, id string) error {
	_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: &key, UploadId: &id})
	if err != nil && !isNoSuchUpload(err) {
		return fmt.Errorf("abort upload of %s: %w", key, err)
	}
	return nil
}

func isNoSuchUpload(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "NoSuchUpload"
}

// upload is an object being written.
type upload struct {
	ctx    context.Context //nolint:containedctx // of the Put, which an io.Writer cannot get otherwise
	client *s3.Client
	object Object
	part   bytes.Buffer
	id     string // empty as long as everything fits into one part
	sent   []types.CompletedPart
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
		begun, err := u.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.object.Bucket, Key: &u.object.Key, Metadata: u.object.Metadata, ContentType: u.kind(),
		})
		if err != nil {
			return err
		}
		u.id = *begun.UploadId
	}
	number := aws.Int32(int32(len(u.sent) + 1)) //nolint:gosec // at most 10,000
	got, err := u.client.UploadPart(u.ctx, &s3.UploadPartInput{
		Bucket: &u.object.Bucket, Key: &u.object.Key, UploadId: &u.id, PartNumber: number, Body: bytes.NewReader(u.part.Bytes()),
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
		_, err := u.client.PutObject(u.ctx, &s3.PutObjectInput{
			Bucket: &u.object.Bucket, Key: &u.object.Key, Body: bytes.NewReader(u.part.Bytes()),
			Metadata: u.object.Metadata, ContentType: u.kind(),
		})
		return err
	}
	if err := u.send(); err != nil {
		return err
	}
	_, err := u.client.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.object.Bucket, Key: &u.object.Key, UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.sent},
	})
	if err != nil && isNoSuchUpload(err) && u.object.IsThere != nil && u.object.IsThere() {
		return nil // an earlier attempt completed it, and only its answer was lost
	}
	return err
}

func (u *upload) kind() *string {
	if u.object.Type == "" {
		return nil
	}
	return &u.object.Type
}

// abandon deletes the parts of an upload that failed.
func (u *upload) abandon() error {
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	return Abort(ctx, u.client, u.object.Bucket, u.object.Key, u.id)
}
