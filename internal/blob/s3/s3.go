// Package s3 keeps blobs as objects in a bucket of Amazon S3 or of a server that speaks its protocol. The store signs links that the
// bucket itself serves.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/reach"
)

// Options are the settings of a Store. Credentials come from the environment, the shared files or the role of the machine, as in
// every program that uses the SDK of AWS.
type Options struct {
	Bucket         string
	Prefix         string // of all keys, without slashes at its ends; may be empty
	Endpoint       string // URL of the server; empty for Amazon
	PublicEndpoint string // URL at which clients reach the server, for links; empty if it is Endpoint
	Region         string // empty for the one of the environment
	PathStyle      bool   // whether the bucket is part of the path rather than of the host name
}

// Store is a blob.Store in a bucket. Several processes may use one bucket and prefix.
type Store struct {
	options Options
	client  *s3.Client
	links   *s3.PresignClient
}

var (
	_ blob.Store  = (*Store)(nil)
	_ blob.Remote = (*Store)(nil)
)

const (
	attemptsMax = 6               // of a request; with the pauses between them about 15 seconds
	pauseMax    = 5 * time.Second // between two attempts
	dialMax     = 10 * time.Second
	stallMax    = 60 * time.Second // for which a connection may be silent before the request is tried again on another one
)

// Open returns a store. It makes no request; see Check.
func Open(ctx context.Context, o Options) (*Store, error) {
	loading := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.DialContext = reach.WithStallLimit((&net.Dialer{Timeout: dialMax, KeepAlive: 15 * time.Second}).DialContext, stallMax)
		})),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = attemptsMax, pauseMax })
		}),
		// Every request carries the SHA-256 of its content, which any server checks. The newer checksums are unknown to some servers,
		// and what is read is compared with hashes of our own.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	}
	if o.Region != "" {
		loading = append(loading, config.WithRegion(o.Region))
	}
	settings, err := config.LoadDefaultConfig(ctx, loading...)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", o.Bucket, err)
	}
	if settings.Region == "" {
		settings.Region = "us-east-1" // servers other than Amazon's have no regions, but the signature has
	}
	at := func(endpoint string) *s3.Client {
		return s3.NewFromConfig(settings, func(opts *s3.Options) {
			opts.UsePathStyle = o.PathStyle
			if endpoint != "" {
				opts.BaseEndpoint = &endpoint
			}
		})
	}
	public := o.PublicEndpoint
	if public == "" {
		public = o.Endpoint
	}
	return &Store{options: o, client: at(o.Endpoint), links: s3.NewPresignClient(at(public))}, nil
}

// Check returns an error that says what to correct if the bucket cannot be reached, listed or written to. It writes nothing.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.options.Bucket, Prefix: s.name(""), MaxKeys: aws.Int32(1)})
	if err != nil {
		return s.explain("list", err)
	}
	// An upload that is begun and aborted needs the same permissions as a file, and leaves none.
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.options.Bucket, Key: s.name("check")})
	if err == nil {
		err = s.abort(ctx, *begun.Key, *begun.UploadId)
	}
	if err != nil {
		return s.explain("write to", err)
	}
	return nil
}

// explain returns the error of a request with what to correct.
func (s *Store) explain(action string, err error) error {
	where := "Amazon S3"
	if s.options.Endpoint != "" {
		where = s.options.Endpoint
	}
	var api smithy.APIError
	var response *awshttp.ResponseError
	status := 0
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	advice := "check that it can be reached"
	if code != "" {
		advice = "it refuses the request with " + code
	}
	switch {
	case code == "NoSuchBucket" || code == "NotFound" && status == http.StatusNotFound:
		advice = "there is no such bucket: create it, or correct --files"
	case code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "XAdminUserNotFound": // the last is versitygw's
		advice = "the credentials are wrong: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this machine"
	case code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed" || status == http.StatusMovedPermanently:
		advice = "the bucket is in another region: set it in --files as region=REGION"
	case code == "AccessDenied" || status == http.StatusForbidden:
		advice = "access is denied: the credentials need s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, " +
			"s3:AbortMultipartUpload and s3:ListBucketMultipartUploads"
	case code == "" && status == 0:
		if _, missing := s.client.Options().Credentials.Retrieve(context.Background()); missing != nil {
			advice = "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role"
		}
	}
	return fmt.Errorf("cannot %s bucket %s at %s: %s (%w)", action, s.options.Bucket, where, advice, err)
}

// name returns the name of the object of a key.
func (s *Store) name(key string) *string {
	if s.options.Prefix != "" {
		key = s.options.Prefix + "/" + key
	}
	return &key
}

// Open opens an object for reading. If its connection is lost, the reader continues on another one. It fails if the object has been
// replaced since.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, store: s, key: key}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	return r, nil
}

// Stat returns the size of an object, without its hash.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, err
	}
	head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.options.Bucket, Key: s.name(key)})
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat %s: %w", key, missing(err))
	}
	return blob.Info{SizeBytes: aws.ToInt64(head.ContentLength)}, nil
}

// Delete deletes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.options.Bucket, Key: s.name(key)})
	if err != nil && !errors.Is(missing(err), blob.ErrNotFound) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// missing returns blob.ErrNotFound if the error says that there is no such object, else the error.
func missing(err error) error {
	var none *types.NoSuchKey
	var notFound *types.NotFound
	if errors.As(err, &none) || errors.As(err, &notFound) {
		return blob.ErrNotFound
	}
	return err
}
