package destination

import (
	"context"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/remote/s3"
	"github.com/opencapi/capi/internal/text"
)

const (
	nameLengthMax   = 100
	secretLengthMax = 500
	urlLengthMax    = 500
	anyRegion       = "us-east-1" // servers other than Amazon's have no regions, but the signature has
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	accessKey  = regexp.MustCompile(`^[!-~]{1,128}$`)
)

// Place is where a destination is, for people to read.
func (d Destination) Place() string {
	if d.Kind == SFTP {
		return "sftp://" + d.Host.User + "@" + d.Host.address()
	}
	if d.Bucket.Endpoint == "" {
		return "s3://" + d.Bucket.Name
	}
	return strings.TrimSuffix(d.Bucket.Endpoint, "/") + "/" + d.Bucket.Name
}

// check normalises the destination and returns a Validation fault that lists every error. It makes no request but to look up a host.
func (s *Destinations) check(ctx context.Context, d *Destination, secrets Secrets) error {
	errs := nameFault(d)
	bad := func(field, message string) {
		if message != "" {
			errs = append(errs, fault.FieldError{Field: field, Message: message})
		}
	}
	bad("prefix", prefixFault(d.Prefix, d.Kind))
	if d.Kind == SFTP {
		errs = append(errs, s.hostFaults(ctx, &d.Host, secrets)...)
		return fault.Invalid(errs...)
	}
	b := &d.Bucket
	if !bucketName.MatchString(b.Name) || net.ParseIP(b.Name) != nil || strings.Contains(b.Name, "..") {
		bad("s3.bucket", "must be the name of a bucket: 3 to 63 small letters, digits, dots and hyphens, without s3:// and without a folder")
	}
	if b.Endpoint != "" && b.Region == "" {
		b.Region = anyRegion
	}
	switch {
	case b.Region == "":
		bad("s3.region", "is required for Amazon S3, such as eu-central-1")
	case !regionName.MatchString(b.Region):
		bad("s3.region", "must be the name of a region, such as eu-central-1")
	}
	if b.Endpoint != "" {
		bad("s3.endpoint", s.endpointFault(ctx, b.Endpoint))
	}
	if !accessKey.MatchString(b.AccessKey) {
		bad("s3.access_key_id", "must be an access key id: up to 128 characters without spaces")
	}
	bad("s3.secret_access_key", secretFault(secrets.SecretKey))
	return fault.Invalid(errs...)
}

func nameFault(d *Destination) []fault.FieldError {
	name, complaint := text.Name(d.Name, nameLengthMax)
	if complaint != "" {
		return []fault.FieldError{{Field: "name", Message: complaint}}
	}
	d.Name = name
	return nil
}

func secretFault(secret string) string {
	switch {
	case secret == "":
		return "is required"
	case len(secret) > secretLengthMax:
		return "is too long"
	case strings.ContainsFunc(secret, unicode.IsSpace):
		return "must not have spaces or line breaks: it was probably not copied exactly"
	}
	return ""
}

// endpointFault returns what is wrong with the address of an S3 server; empty if nothing is.
func (s *Destinations) endpointFault(ctx context.Context, given string) string {
	u, err := url.Parse(given)
	switch {
	case len(given) > urlLengthMax:
		return "is too long"
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return "must be a URL such as https://storage.example.com, or missing for Amazon S3"
	case u.User != nil || u.RawQuery != "" || strings.Contains(given, "#") || u.ForceQuery:
		return "must not have a user name, a query or a fragment"
	}
	return s.guard.CheckHost(ctx, u.Hostname(), s.guard.For(u.Scheme))
}

// open returns the server of a destination. It makes no request.
func (s *Destinations) open(d Destination, secrets Secrets) (remote.Server, error) {
	if d.Kind == SFTP {
		return s.openHost(d.Host, secrets)
	}
	b, check := d.Bucket, s.guard.Encrypted
	if strings.HasPrefix(strings.ToLower(b.Endpoint), "http:") {
		check = s.guard.Plain
	}
	return s3.Open(s3.Options{
		Bucket: b.Name, Region: b.Region, Endpoint: b.Endpoint, PathStyle: b.PathStyle, AccessKey: b.AccessKey, SecretKey: secrets.SecretKey,
		Dial: s.guard.Dial(check),
	}), nil
}
