package file

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/fault"
)

// Path is the path at which Handler must be mounted; it ends with a slash.
const Path = "/files/"

// LinkPattern returns Path.
func (*Store) LinkPattern() string { return Path }

// SignedURL returns a path of this server: Path, the key, and a query with the signed values.
func (s *Store) SignedURL(_ context.Context, key string, link blob.Link) (string, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	expires := strconv.FormatInt(link.ExpiresAt.Unix(), 10)
	q := url.Values{
		"expires":   {expires},
		"name":      {link.FileName},
		"type":      {link.ContentType},
		"signature": {s.sign(key, expires, link.FileName, link.ContentType)},
	}
	return Path + key + "?" + q.Encode(), nil
}

// verify checks the signature and expiry of a request for the key and returns the link that SignedURL signed.
func (s *Store) verify(key string, q url.Values) (blob.Link, error) {
	expires, name, contentType := q.Get("expires"), q.Get("name"), q.Get("type")
	want := s.sign(key, expires, name, contentType)
	if !hmac.Equal([]byte(want), []byte(q.Get("signature"))) {
		return blob.Link{}, fault.New(fault.InvalidLink, "The link is not valid: its signature does not match. Ask for a new download link.")
	}
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return blob.Link{}, fault.New(fault.InvalidLink, "The link has no expiry. Ask for a new download link.").Because(err)
	}
	link := blob.Link{ExpiresAt: time.Unix(seconds, 0).UTC(), FileName: name, ContentType: contentType}
	if !s.now().Before(link.ExpiresAt) {
		return blob.Link{}, fault.New(fault.InvalidLink, "The link expired at %s. Ask for a new download link.",
			link.ExpiresAt.Format(time.RFC3339))
	}
	return link, nil
}

// sign includes the length of each part, so that ("ab", "c") and ("a", "bc") have different signatures.
func (s *Store) sign(parts ...string) string {
	mac := hmac.New(sha256.New, s.key)
	for _, p := range parts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		mac.Write([]byte(p))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
