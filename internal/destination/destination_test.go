package destination_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/testkit"
)

type house struct {
	*testkit.Fixture
	ws id.Workspace
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func open(t *testing.T, d *db.DB, o destination.Options) *house {
	t.Helper()
	f := testkit.New(t, services.Parts{DB: d, Destinations: o})
	w, err := f.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Acme"})
	require.NoError(t, err)
	return &house{f, w.ID}
}

// bucket is a destination in a bucket of the server with the rights.
func (h *house) bucket(t *testing.T, server *s3test.Server, rights ...string) (destination.Destination, destination.Secrets) {
	t.Helper()
	bucket := server.NewBucket(t)
	key, secret := server.NewUser(t, bucket, rights...)
	return destination.Destination{
		Workspace: h.ws, Name: "Data lake", Kind: destination.S3, Prefix: "companies/dt={date}/",
		Bucket: destination.Bucket{Name: bucket, Endpoint: server.Endpoint, PathStyle: true, AccessKey: key},
	}, destination.Secrets{SecretKey: secret}
}

var writeOnly = []string{"s3:PutObject", "s3:AbortMultipartUpload"}

func TestABucketIsWrittenToBeforeItIsADestination(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, destination.Options{Allow: loopback})
		probe := "companies/dt=" + time.Now().UTC().Format(time.DateOnly) + "/_capi-test.txt"

		given, secrets := h.bucket(t, server, append(writeOnly, "s3:DeleteObject")...)
		made, err := h.Destinations.Create(t.Context(), given, secrets)
		require.NoError(t, err)
		require.Empty(t, server.Keys(t, given.Bucket.Name), "the probe is deleted")
		r, err := h.Destinations.Test(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.Equal(t, destination.Result{OK: true, Path: probe, Deleted: true, Message: "The file " + probe + " was written and deleted.", Took: r.Took}, r)

		var content string
		var sealed []byte
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT settings, secrets FROM destination`).Scan(&content, &sealed))
		require.NotContains(t, content+string(sealed), secrets.SecretKey)
		read, err := h.Destinations.Get(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.Equal(t, made, read)

		// Keys that may only write suffice, and a test says what it leaves.
		given, secrets = h.bucket(t, server, writeOnly...)
		_, err = h.Destinations.Create(t.Context(), given, secrets)
		require.ErrorContains(t, err, "is the name of another destination")
		given.Name = "Write-only"
		made, err = h.Destinations.Create(t.Context(), given, secrets)
		require.NoError(t, err)
		r, err = h.Destinations.Test(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.True(t, r.OK)
		require.False(t, r.Deleted)
		require.Contains(t, r.Message, "could not be deleted, which deliveries do not need")
		require.Equal(t, []string{probe}, server.Keys(t, given.Bucket.Name), "tests leave one file at most")

		all, err := h.Destinations.List(t.Context(), h.ws)
		require.NoError(t, err)
		require.Len(t, all, 2)
	})
}

func TestABucketThatCannotBeWrittenToIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	h := open(t, dbtest.SQLite(t), destination.Options{Allow: loopback})
	good, secrets := h.bucket(t, server, writeOnly...)
	readOnly, readSecrets := h.bucket(t, server, "s3:GetObject")
	untrusted := httptest.NewTLSServer(nil)
	t.Cleanup(untrusted.Close)
	for name, c := range map[string]struct {
		change func(*destination.Destination, *destination.Secrets)
		field  string
		want   string
	}{
		"no bucket":    {func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.Name = "no-such-bucket" }, "s3.bucket", "There is no bucket no-such-bucket"},
		"wrong key":    {func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.AccessKey = "nobody" }, "s3.access_key_id", "does not know the access key id nobody"},
		"wrong secret": {func(_ *destination.Destination, s *destination.Secrets) { s.SecretKey += "x" }, "s3.access_key_id", "does not belong to the access key id"},
		"read-only": {
			func(d *destination.Destination, s *destination.Secrets) { d.Bucket, *s = readOnly.Bucket, readSecrets }, "s3.access_key_id",
			"was denied. The keys need the right s3:PutObject",
		},
		"nobody there": {func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.Endpoint = "http://127.0.0.1:1" }, "s3.endpoint", "cannot be reached"},
		"untrusted": {
			func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.Endpoint = untrusted.URL }, "s3.endpoint",
			"The certificate of the server is not accepted: certificate signed by unknown authority.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, s := good, secrets
			c.change(&d, &s)
			_, err := h.Destinations.Create(t.Context(), d, s)
			require.Equal(t, fault.Validation, fault.CodeOf(err))
			require.Equal(t, c.field, fault.Fields(err)[0].Field)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A name that had a public address when the destination was checked leads inside when something is sent.
func TestOnlyPublicAddressesAreReached(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	h := open(t, dbtest.SQLite(t), destination.Options{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "unknown.example" {
			return nil, errors.New("no such host")
		}
		return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
	}})
	given, secrets := h.bucket(t, server, writeOnly...)
	for endpoint, want := range map[string]string{
		server.Endpoint: "use https", "https://127.0.0.1": "private, loopback", "https://169.254.169.254/latest": "private, loopback",
		"https://[::1]:9000": "private, loopback", "https://10.0.0.5": "--destination-allow", "https://unknown.example": "does not resolve",
		"ftp://93.184.215.14": "must be a URL", "https://a:b@93.184.215.14": "must not have a user name", "https://93.184.215.14/?x": "a query",
		strings.Replace(server.Endpoint, "http://127.0.0.1", "https://localhost", 1): "Nothing was sent: 127.0.0.1 is a private",
	} {
		given.Bucket.Endpoint = endpoint
		_, err := h.Destinations.Create(t.Context(), given, secrets)
		require.Equal(t, fault.Validation, fault.CodeOf(err), endpoint)
		require.ErrorContains(t, err, want, endpoint)
	}
	require.Empty(t, server.Keys(t, given.Bucket.Name))
}

func TestEachBadSettingHasItsError(t *testing.T) {
	t.Parallel()
	h := open(t, dbtest.SQLite(t), destination.Options{})
	good := destination.Destination{
		Workspace: h.ws, Name: "x", Kind: destination.S3, Bucket: destination.Bucket{Name: "acme-data", Region: "eu-central-1", AccessKey: "AKIA"},
	}
	for want, change := range map[string]func(*destination.Destination, *destination.Secrets){
		"name: is empty": func(d *destination.Destination, _ *destination.Secrets) { d.Name = " " },
		"s3.bucket: must be the name of a bucket":                                                    func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.Name = "s3://acme/folder" },
		"s3.region: is required for Amazon S3":                                                       func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.Region = "" },
		"s3.region: must be the name of a region":                                                    func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.Region = "evil.example/" },
		"s3.access_key_id: must be":                                                                  func(d *destination.Destination, _ *destination.Secrets) { d.Bucket.AccessKey = "a b" },
		"s3.secret_access_key: is required":                                                          func(_ *destination.Destination, s *destination.Secrets) { s.SecretKey = "" },
		"s3.secret_access_key: must not have":                                                        func(_ *destination.Destination, s *destination.Secrets) { s.SecretKey = "abc\n" },
		"prefix: has the placeholder {yaer}, which is not known; did you mean {year}?":               prefix("a/{yaer}/"),
		"the placeholders are {year}, {month}, {day}, {date}, {export_id}, {order_id}, {order_name}": prefix("{nothing}"),
		"prefix: has the placeholder {order}, which is not known; did you mean {order_":              prefix("{order}/"),
		"prefix: can become longer than 500 bytes when its placeholders are filled in":               prefix(strings.Repeat("{export_id}/", 20)),
		"prefix: has a brace without its partner":                                                    prefix("a/{year/"),
		"prefix: must not have . or .. as a folder":                                                  prefix("a/../b"),
		"prefix: must not begin with /":                                                              prefix("/a"),
		"prefix: has an empty folder":                                                                prefix("a//b"),
		`prefix: must not have control characters or \`:                                              prefix(`a\b`),
		"prefix: has a folder that begins or ends with a space":                                      prefix("a/ b"),
		"prefix: is longer than 500 bytes":                                                           prefix(strings.Repeat("a", 501)),
	} {
		d, s := good, destination.Secrets{SecretKey: "secret"}
		change(&d, &s)
		_, err := h.Destinations.Create(t.Context(), d, s)
		require.Equal(t, fault.Validation, fault.CodeOf(err), want)
		var all []string
		for _, f := range fault.Fields(err) {
			all = append(all, f.Field+": "+f.Message)
		}
		require.Contains(t, strings.Join(all, "\n"), want)
	}
}

func prefix(p string) func(*destination.Destination, *destination.Secrets) {
	return func(d *destination.Destination, _ *destination.Secrets) { d.Prefix = p }
}

func TestAFolderIsThePrefixOfTheDayInUTC(t *testing.T) {
	t.Parallel()
	export, err := id.Parse[id.Export]("0195510c-7a3d-7e10-8c21-4b3a2f1e0d9c")
	require.NoError(t, err)
	order, err := id.Parse[id.Order]("0195510c-7a3d-7e10-8c21-4b3a2f1e0d9d")
	require.NoError(t, err)
	late := time.Date(2026, 11, 30, 23, 30, 0, 0, time.FixedZone("", -2*3600))
	for prefix, want := range map[string]string{
		"": "", "capi": "capi/", "capi/": "capi/", "dt={date}/": "dt=2026-12-01/", "{year}/{month}/{day}": "2026/12/01/",
		"x/{export_id}/y": "x/0195510c-7a3d-7e10-8c21-4b3a2f1e0d9c/y/",
	} {
		require.Equal(t, want, destination.Folder(prefix, destination.Delivered{Export: export, CreatedAt: late}), prefix)
	}
	const ofOrder = "{order_name}/order={order_id}"
	require.Equal(t, "no-order/order=no-order/", destination.Folder(ofOrder, destination.Delivered{Export: export, CreatedAt: late}))
	require.Equal(t, "new-us-fintech/order=0195510c-7a3d-7e10-8c21-4b3a2f1e0d9d/",
		destination.Folder(ofOrder, destination.Delivered{Export: export, CreatedAt: late, Order: order, OrderName: "new-us-fintech"}))
}

func TestASecretIsNeverSentToAnotherServer(t *testing.T) {
	t.Parallel()
	server, other := s3test.Start(t), s3test.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, destination.Options{Allow: loopback})
		given, secrets := h.bucket(t, server, writeOnly...)
		made, err := h.Destinations.Create(t.Context(), given, secrets)
		require.NoError(t, err)
		_, err = h.Destinations.Update(t.Context(), h.ws, made.ID, destination.Change{Endpoint: &other.Endpoint})
		require.ErrorContains(t, err, "is required to change the endpoint")
		_, err = h.Destinations.Update(t.Context(), h.ws, made.ID, destination.Change{Bucket: new("no-such-bucket-here")})
		require.Equal(t, fault.Validation, fault.CodeOf(err), "a change that does not work changes nothing")
		read, err := h.Destinations.Get(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.Equal(t, made, read)

		moved, moveSecrets := h.bucket(t, other, writeOnly...)
		changed, err := h.Destinations.Update(t.Context(), h.ws, made.ID, destination.Change{
			Name: new("Moved"), Prefix: new("a"), Endpoint: &other.Endpoint, Bucket: &moved.Bucket.Name, AccessKey: &moved.Bucket.AccessKey, SecretKey: &moveSecrets.SecretKey,
		})
		require.NoError(t, err)
		require.Equal(t, "Moved", changed.Name)
		require.Equal(t, []string{"a/_capi-test.txt"}, other.Keys(t, moved.Bucket.Name))
		renamed, err := h.Destinations.Update(t.Context(), h.ws, made.ID, destination.Change{Name: new("Renamed")})
		require.NoError(t, err)
		require.Equal(t, "Renamed", renamed.Name)

		stranger := id.New[id.Workspace]()
		_, err = h.Destinations.Get(t.Context(), stranger, made.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		require.Equal(t, fault.NotFound, fault.CodeOf(h.Destinations.Delete(t.Context(), stranger, made.ID)))
		require.NoError(t, h.Destinations.Delete(t.Context(), h.ws, made.ID))
		_, err = h.Destinations.Test(t.Context(), h.ws, made.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

// anywhere takes every file and keeps none.
type anywhere struct{}

func (anywhere) Put(_ context.Context, _, _ string, fn func(io.Writer) error) error {
	return fn(io.Discard)
}
func (anywhere) Delete(context.Context, string) error { return nil }
func (anywhere) Close() error                         { return nil }

func TestAServerWithoutTheKeyRenamesADestinationAndKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := destination.Options{Open: func(_ destination.Destination, s destination.Secrets) (remote.Server, error) {
			require.Equal(t, "secret", s.SecretKey)
			return anywhere{}, nil
		}}
		h := open(t, d, o)
		made, err := h.Destinations.Create(t.Context(), destination.Destination{
			Workspace: h.ws, Name: "Data lake", Kind: destination.S3, Bucket: destination.Bucket{Name: "acme-data", Region: "eu-central-1", AccessKey: "AKIA"},
		}, destination.Secrets{SecretKey: "secret"})
		require.NoError(t, err)
		keyless := destination.New(d, nil, o)
		renamed, err := keyless.Update(t.Context(), h.ws, made.ID, destination.Change{Name: new("Lake")})
		require.NoError(t, err)
		require.Equal(t, "Lake", renamed.Name)
		for _, c := range []destination.Change{{Prefix: new("a")}, {SecretKey: new("secret")}} {
			_, err = keyless.Update(t.Context(), h.ws, made.ID, c)
			require.Equal(t, fault.Forbidden, fault.CodeOf(err))
		}
		r, err := h.Destinations.Test(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.True(t, r.OK, "a server with the key can still use the secrets")
	})
}
