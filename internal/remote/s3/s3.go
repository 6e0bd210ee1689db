// Package s3 writes files to a bucket of Amazon S3, or of a server that speaks its protocol, with the keys of a customer. It needs the
// rights to put objects and to abort uploads, and never lists or reads.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/opencapi/capi/internal/blob/s3/multipart"
	"github.com/opencapi/capi/internal/reach"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/text"
)

// Options say where a bucket is.
type Options struct {
	Bucket    string
	Region    string
	Endpoint  string // URL of the server; empty for Amazon
	PathStyle bool   // whether the bucket is part of the path rather than of the host name
	AccessKey string
	SecretKey string

	Dial reach.Dial
}

const (
	attemptsMax = 2                      // of a request; the delivery is tried again later
	pauseMax    = 300 * time.Millisecond // between two attempts
	stallMax    = 60 * time.Second
)

// Server is a bucket.
type Server struct {
	options Options
	client  *s3.Client
}

var _ remote.Server = (*Server)(nil)

// Open returns the server. It makes no request.
func Open(o Options) *Server {
	options := s3.Options{
		Region: o.Region, UsePathStyle: o.PathStyle, HTTPClient: reach.Client(reach.WithStallLimit(o.Dial, stallMax), 0),
		Credentials: credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, ""),
		Retryer: retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = attemptsMax, pauseMax
			r.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(notRefusedHere)}, r.Retryables...)
		}),
		// Every request carries the SHA-256 of its content, which any server checks. The newer checksums are unknown to some servers.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = &o.Endpoint
	}
	return &Server{o, s3.New(options)}
}

// notRefusedHere says that what we refuse to send is not worth another attempt.
func notRefusedHere(err error) aws.Ternary {
	if _, refused := errors.AsType[*reach.Error](err); refused {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// Put uploads an object, in parts if it is large.
func (s *Server) Put(ctx context.Context, path, contentType string, fn func(io.Writer) error) error {
	var made error
	var sent remote.Writer
	err := multipart.Put(ctx, s.client, multipart.Object{Bucket: s.options.Bucket, Key: path, Type: contentType}, func(w io.Writer) error {
		sent.To = w
		made = fn(&sent)
		return made
	})
	if made != nil && sent.Err == nil {
		return made
	}
	return s.explain(ctx, "s3:PutObject", err)
}

// Delete deletes an object.
func (s *Server) Delete(ctx context.Context, path string) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.options.Bucket, Key: &path})
	return s.explain(ctx, "s3:DeleteObject", err)
}

// Close does nothing: each request has a connection of its own.
func (s *Server) Close() error { return nil }

// explain returns the error of a request in plain words. right is what it needs.
func (s *Server) explain(ctx context.Context, right string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	where := "Amazon S3"
	if s.options.Endpoint != "" {
		where = s.options.Endpoint
	}
	say := func(reason remote.Reason, format string, args ...any) error {
		return &remote.Error{Reason: reason, Message: fmt.Sprintf(format, args...), Err: err}
	}
	if refused, ok := errors.AsType[*reach.Error](err); ok {
		return say(remote.NotAllowed, "Nothing was sent: %s.", refused)
	}
	if problem := reach.CertificateProblem(err); problem != "" {
		return say(remote.Unreachable, "%s", problem)
	}
	code, detail, status, region := answer(err)
	switch {
	case code == "NoSuchBucket" || code == "NotFound" && status == http.StatusNotFound:
		return say(remote.NoSuchPlace, "There is no bucket %s at %s. Create it, or correct the name.", s.options.Bucket, where)
	case code == "InvalidAccessKeyId" || code == "XAdminUserNotFound": // the latter is versitygw's
		return say(remote.BadCredentials, "%s does not know the access key id %s. Check it.", where, s.options.AccessKey)
	case code == "SignatureDoesNotMatch":
		return say(remote.BadCredentials, "The secret access key does not belong to the access key id %s. Check it.", s.options.AccessKey)
	case code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException" || status == http.StatusMovedPermanently:
		if region != "" {
			return say(remote.Refused, "The bucket %s is in the region %s, not in %s. Change the region.", s.options.Bucket, region, s.options.Region)
		}
		return say(remote.Refused, "The bucket %s is in another region than %s. Change the region.", s.options.Bucket, s.options.Region)
	case code == "QuotaExceeded" || code == "XMinioStorageFull" || code == "XMinioAdminBucketQuotaExceeded" || status == http.StatusInsufficientStorage:
		return say(remote.Full, "The bucket %s is full: its server refused the file because of a quota or a full disk (%s). Make room, then deliver again.", s.options.Bucket, code)
	case code == "AccessDenied" || status == http.StatusForbidden:
		return say(remote.AccessDenied, "Access to the bucket %s was denied. The keys need the right %s below the prefix.", s.options.Bucket, right)
	case status >= 300 && status < 400:
		return say(remote.Refused, "%s answered with a redirect (%d), which is not followed. Correct the endpoint.", where, status)
	case code == "RequestTimeTooSkewed":
		return say(remote.Refused, "%s says that the clock of the sending server is wrong.", where)
	case status != 0:
		return say(remote.Refused, "%s refused the file with the status %d (%s).", where, status, words(code, detail))
	}
	return say(remote.Unreachable, "%s cannot be reached, or the connection was cut. Check that it runs and that the endpoint is right.", where)
}

// answer returns what a server answered: the code and the message of its error, the status, and the region that it names.
func answer(err error) (code, detail string, status int, region string) {
	var api smithy.APIError
	if errors.As(err, &api) {
		code, detail = api.ErrorCode(), api.ErrorMessage()
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		status, region = response.HTTPStatusCode(), response.Response.Header.Get("X-Amz-Bucket-Region")
	}
	return code, detail, status, region
}

const detailMax = 200 // characters of a server's words that are shown

func words(code, detail string) string {
	switch {
	case code == "":
		return "without a reason"
	case detail == "":
		return code
	}
	return code + ": " + text.Start(detail, detailMax)
}
