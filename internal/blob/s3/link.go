package s3

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/opencapi/capi/internal/blob"
)

// lifetimeMax is the longest lifetime of a link that Amazon accepts.
const lifetimeMax = 7 * 24 * time.Hour

// SignedURL returns a link to the bucket itself. It is absolute. It also ends when temporary credentials that signed it do.
func (s *Store) SignedURL(ctx context.Context, key string, link blob.Link) (string, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	lifetime := min(time.Until(link.ExpiresAt), lifetimeMax)
	in := &s3.GetObjectInput{
		Bucket: &s.options.Bucket, Key: s.name(key), ResponseContentType: &link.ContentType,
		ResponseContentDisposition: aws.String(blob.Disposition(link.FileName)), ResponseCacheControl: aws.String("private, no-store"),
	}
	signed, err := s.links.PresignGetObject(ctx, in, func(o *s3.PresignOptions) {
		o.Expires = max(lifetime, time.Second)
		if lifetime < time.Second {
			o.Presigner = expired{o.Presigner, link.ExpiresAt.Add(-time.Second)}
		}
	})
	if err != nil {
		return "", fmt.Errorf("sign link to %s: %w", key, err)
	}
	return signed.URL, nil
}

// expired signs as if it were an earlier time.
type expired struct {
	s3.HTTPPresignerV4
	at time.Time
}

func (e expired) PresignHTTP(
	ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time,
	options ...func(*v4.SignerOptions),
) (string, http.Header, error) {
	return e.HTTPPresignerV4.PresignHTTP(ctx, credentials, r, payloadHash, service, region, e.at, options...)
}
