package delivery_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/blob/s3/s3test"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/remote/sftp/sftptest"
)

// oddPrefix has every kind of character that a key may have and a program may get wrong.
const oddPrefix = "Größe & Länge/日本 ⟨x⟩/a+b=c%41?#d/...e/'\"/{date}"

// s3Servers are the servers of the tests, with the words that require them.
var s3Servers = map[string]string{"versitygw": "s3", "minio": "minio"}

func TestEveryS3ServerTakesDeliveriesUnderTheirExactNames(t *testing.T) {
	t.Parallel()
	for name, word := range s3Servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := s3test.StartNamed(t, name, word)
			h := newHouse(t, dbtest.SQLite(t))
			h.server, h.bucket = server, server.NewBucket(t)
			given := destination.Destination{
				Workspace: h.caller.Workspace, Name: "Data lake", Kind: destination.S3, Prefix: oddPrefix,
				Bucket: destination.Bucket{Name: h.bucket, Endpoint: server.Endpoint, PathStyle: true, AccessKey: s3test.AccessKey},
			}
			_, err := h.Destinations.Create(t.Context(), given, destination.Secrets{SecretKey: "another"})
			require.ErrorContains(t, err, "The secret access key does not belong to the access key id")
			given.Bucket.AccessKey = "nobody"
			_, err = h.Destinations.Create(t.Context(), given, destination.Secrets{SecretKey: s3test.SecretKey})
			require.ErrorContains(t, err, "does not know the access key id nobody")
			given.Bucket.AccessKey, given.Bucket.Name = s3test.AccessKey, "missing-bucket"
			_, err = h.Destinations.Create(t.Context(), given, destination.Secrets{SecretKey: s3test.SecretKey})
			require.ErrorContains(t, err, "There is no bucket missing-bucket")
			given.Bucket.Name = h.bucket
			h.to, err = h.Destinations.Create(t.Context(), given, destination.Secrets{SecretKey: s3test.SecretKey})
			require.NoError(t, err)
			require.Empty(t, server.Keys(t, h.bucket), "these keys may delete what the test wrote")

			e := h.buy(t)
			h.work(t)
			require.Empty(t, h.delivery(t, e.ID).Error)
			file, manifest := h.paths(e)
			day := e.CreatedAt.UTC().Format(time.DateOnly)
			folder := strings.Replace(oddPrefix, "{date}", day, 1) + "/"
			file, manifest = folder+filepath.Base(file), folder+filepath.Base(manifest)
			require.ElementsMatch(t, []string{file, manifest, manifest + ".jws"}, server.Keys(t, h.bucket))
			require.Equal(t, file, h.delivery(t, e.ID).Path)
		})
	}
}

func TestAnSFTPServerTakesDeliveriesUnderTheirExactNames(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t, dbtest.SQLite(t)), sftptest.Start(t)
	var err error
	h.to, err = h.Destinations.Create(t.Context(), destination.Destination{
		Workspace: h.caller.Workspace, Name: "Server", Kind: destination.SFTP, Prefix: oddPrefix,
		Host: destination.Host{Name: server.Host, Port: server.Port, User: server.User, HostKey: ssh.FingerprintSHA256(server.HostKey)},
	}, destination.Secrets{PrivateKey: server.PrivateKey})
	require.NoError(t, err)
	e := h.buy(t)
	h.work(t)
	require.Empty(t, h.delivery(t, e.ID).Error)
	folder := filepath.Join(server.Dir, strings.Replace(oddPrefix, "{date}", e.CreatedAt.UTC().Format(time.DateOnly), 1))
	name := nameOf(e)
	require.ElementsMatch(t, []string{name, "_" + name + ".manifest.json", "_" + name + ".manifest.json.jws"}, namesIn(t, folder))
}

// The bucket is deleted after the file has arrived and before its manifest does.
func TestABucketThatVanishesMidwayIsFilledAgainOnceItIsBack(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	h := open(t, dbtest.SQLite(t), server)
	vanished := make(chan error, 1)
	h.wire.meddle(func(_ http.ResponseWriter, r *http.Request) bool {
		if isManifest(r) {
			h.wire.meddle(nil)
			vanished <- deleteBucket(r.Context(), server.Client(), h.bucket)
		}
		return false
	})
	e := h.buy(t)
	h.work(t)
	require.NoError(t, <-vanished)
	failed := h.delivery(t, e.ID)
	require.Equal(t, delivery.Failed, failed.State)
	require.Equal(t, 3, failed.Attempts)
	require.Contains(t, failed.Error, "There is no bucket "+h.bucket)

	_, err := server.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &h.bucket})
	require.NoError(t, err)
	h.again(t, e)
	denied := h.delivery(t, e.ID)
	require.Contains(t, denied.Error, "was denied", "the new bucket does not know the keys that may write")
	key, secret := server.NewUser(t, h.bucket, writeOnly...)
	_, err = h.Destinations.Update(t.Context(), h.caller.Workspace, h.to.ID, destination.Change{AccessKey: &key, SecretKey: &secret})
	require.NoError(t, err)
	h.again(t, e)
	h.arrived(t, e)
	require.EqualValues(t, 90, h.balance(t))
	findings, err := h.Deliveries.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, findings)
}

func deleteBucket(ctx context.Context, client *s3.Client, bucket string) error {
	page, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		return err
	}
	for _, o := range page.Contents {
		if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: o.Key}); err != nil {
			return err
		}
	}
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
	return err
}

// A manifest that the server refuses, because a folder has its name, is no delivery.
func TestAManifestThatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t, dbtest.SQLite(t)), sftptest.Start(t)
	h.addHost(t, server, server.Port)
	e := h.buy(t)
	blocked := filepath.Join(folderOf(server, e), "_"+nameOf(e)+".manifest.json")
	require.NoError(t, os.MkdirAll(filepath.Join(blocked, "something"), 0o700))
	h.work(t)
	failed := h.delivery(t, e.ID)
	require.Equal(t, delivery.Failed, failed.State)
	require.Contains(t, failed.Error, "a folder has the name of the file")
	require.NoError(t, os.RemoveAll(blocked))
	h.again(t, e)
	whole(t, server, e)
}
