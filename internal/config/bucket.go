package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bucket is where export files are stored if not in the data directory.
type Bucket struct {
	Name, Prefix             string
	Endpoint, PublicEndpoint string // URLs; empty for Amazon's
	Region                   string // empty for the one of the environment
	PathStyle                bool
}

// filesLocal is the value of Files for the data directory.
const filesLocal = "file"

// Bucket returns the bucket that Files names; nil if files are stored in the data directory. Files must be valid.
func (s Storage) Bucket() *Bucket {
	b, err := parseFiles(s.Files)
	if err != nil {
		panic(err) // Validate has accepted it
	}
	return b
}

// bucketName is what servers accept as the name of a bucket.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func parseFiles(files string) (*Bucket, error) {
	if files == "" || files == filesLocal {
		return nil, nil //nolint:nilnil // no bucket is no error
	}
	fail := func(format string, args ...any) (*Bucket, error) {
		return nil, &Error{"files", fmt.Sprintf(format, args...)}
	}
	u, err := url.Parse(files)
	if err != nil || u.Scheme != "s3" {
		return fail("must be file or a URL such as s3://bucket/prefix?endpoint=https://s3.example.com")
	}
	if u.User != nil {
		return fail("must not contain credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or use a role")
	}
	if !bucketName.MatchString(u.Host) {
		return fail("%q is not the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens", u.Host)
	}
	b := &Bucket{Name: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if strings.Contains(b.Prefix, "//") {
		return fail("the prefix %q has an empty part", b.Prefix)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fail("the part after ? is invalid; percent-encode special characters")
	}
	known := []string{"endpoint", "public_endpoint", "region", "path_style"}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return fail("there is no option %s; use %s", name, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return fail("%s is given %d times", name, len(values))
		}
	}
	b.Endpoint, b.PublicEndpoint, b.Region = q.Get("endpoint"), q.Get("public_endpoint"), q.Get("region")
	for _, name := range known[:2] {
		if text := q.Get(name); text != "" && !isBaseURL(text) {
			return fail("%s: %q is not a URL such as https://s3.example.com", name, text)
		}
	}
	if text := q.Get("path_style"); text != "" {
		if b.PathStyle, err = strconv.ParseBool(text); err != nil {
			return fail("path_style: %q is neither true nor false", text)
		}
	}
	return b, nil
}
