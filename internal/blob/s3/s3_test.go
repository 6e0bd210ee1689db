package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/blobtest"
	"github.com/opencapi/capi/internal/blob/s3"
	"github.com/opencapi/capi/internal/blob/s3/s3test"
)

func TestMain(m *testing.M) {
	for _, variable := range s3test.Env() {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func open(t *testing.T, o s3.Options) *s3.Store {
	t.Helper()
	o.PathStyle, o.Region = true, s3test.Region
	store, err := s3.Open(t.Context(), o)
	require.NoError(t, err)
	return store
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"versitygw", "minio"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			required := map[string]string{"versitygw": "s3", "minio": "minio"}
			server := s3test.StartNamed(t, name, required[name])
			for folder, prefix := range map[string]string{"whole bucket": "", "prefix": "capi/files"} {
				t.Run(folder, func(t *testing.T) {
					blobtest.Run(t, func(t *testing.T) blobtest.Harness {
						store := open(t, s3.Options{Bucket: server.NewBucket(t), Prefix: prefix, Endpoint: server.Endpoint})
						require.NoError(t, store.Check(t.Context()))
						return blobtest.Harness{Store: store, Do: http.DefaultClient.Do}
					})
				})
			}
		})
	}
}

// wire is a proxy in front of a server that treats some requests badly.
type wire struct {
	*httptest.Server
	faults atomic.Pointer[func(http.ResponseWriter, *http.Request, http.Handler)]
}

func newWire(t *testing.T, server *s3test.Server) *wire {
	t.Helper()
	target, err := url.Parse(server.Endpoint)
	require.NoError(t, err)
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	pass.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	w := &wire{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if fault := w.faults.Load(); fault != nil {
			(*fault)(rw, r, pass)
			return
		}
		pass.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *wire) treat(fault func(http.ResponseWriter, *http.Request, http.Handler)) {
	w.faults.Store(&fault)
}

// cutWriter ends the connection after a number of bytes of the answer.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) > c.left {
		_, _ = c.ResponseWriter.Write(p[:c.left])
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(p)
	return c.ResponseWriter.Write(p)
}

// content is larger than two parts.
var content = bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstu\n"), 600_000)

func TestNothingIsLostWhenTheWireIsBad(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, fault := range map[string]func(n int32, w http.ResponseWriter, r *http.Request, pass http.Handler){
		"connections are reset": func(n int32, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if n%2 == 1 {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_ = conn.(*net.TCPConn).SetLinger(0)
					_ = conn.Close()
				}
				return
			}
			pass.ServeHTTP(w, r)
		},
		"503": func(n int32, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if n%3 != 0 {
				http.Error(w, "<Error><Code>SlowDown</Code></Error>", http.StatusServiceUnavailable)
				return
			}
			pass.ServeHTTP(w, r)
		},
		"answers are lost": func(n int32, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if n%2 == 1 && r.Method != http.MethodGet {
				pass.ServeHTTP(httptest.NewRecorder(), r) // it is done, but nobody hears of it
				panic(http.ErrAbortHandler)
			}
			pass.ServeHTTP(w, r)
		},
		"answers are cut": func(n int32, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if n%2 == 1 && r.Method == http.MethodGet {
				w = &cutWriter{w, 3_000_000}
			}
			pass.ServeHTTP(w, r)
		},
		"answers are slow": func(_ int32, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			time.Sleep(300 * time.Millisecond)
			pass.ServeHTTP(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, server)
			bucket := server.NewBucket(t)
			store := open(t, s3.Options{Bucket: bucket, Endpoint: w.URL})
			var n atomic.Int32
			w.treat(func(rw http.ResponseWriter, r *http.Request, pass http.Handler) { fault(n.Add(1), rw, r, pass) })

			info, err := store.Put(t.Context(), "large", func(w io.Writer) error { _, err := w.Write(content); return err })
			require.NoError(t, err)
			require.Equal(t, blob.Info{SizeBytes: int64(len(content)), SHA256: sha256.Sum256(content)}, info)
			_, err = store.Put(t.Context(), "small", func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
			require.NoError(t, err)

			r, err := store.Open(t.Context(), "large")
			require.NoError(t, err)
			got, err := io.ReadAll(r)
			require.NoError(t, errors.Join(err, r.Close()))
			require.True(t, bytes.Equal(content, got), "%d bytes of %d", len(got), len(content))
			stat, err := store.Stat(t.Context(), "small")
			require.NoError(t, err)
			require.Equal(t, int64(1), stat.SizeBytes)
			require.NoError(t, store.Delete(t.Context(), "small"))
			require.Greater(t, n.Load(), int32(6))
			require.NoError(t, s3.PruneBefore(t.Context(), store, time.Now().Add(time.Hour))) // begun by a request whose answer was lost
			require.Empty(t, unfinished(t, server, bucket))
		})
	}
}

func TestAReplacedFileIsNotReadHalfOldHalfNew(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	w := newWire(t, server)
	store := open(t, s3.Options{Bucket: server.NewBucket(t), Endpoint: w.URL})
	write := func(text string) {
		_, err := store.Put(t.Context(), "k", func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		require.NoError(t, err)
	}
	write(strings.Repeat("a", 1_000_000))
	var cuts atomic.Int32
	w.treat(func(rw http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodGet && cuts.Add(1) == 1 {
			rw = &cutWriter{rw, 400_000}
		}
		pass.ServeHTTP(rw, r)
	})
	r, err := store.Open(t.Context(), "k")
	require.NoError(t, err)
	defer r.Close()
	_, err = io.ReadFull(r, make([]byte, 1000))
	require.NoError(t, err)
	write(strings.Repeat("b", 1_000_000))
	rest, err := io.ReadAll(r)
	require.ErrorContains(t, err, "it was replaced while it was read")
	require.NotContains(t, string(rest), "b")
}

func TestAServerThatIsAwayIsAnErrorAndLeavesNothing(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	bucket := server.NewBucket(t)
	store := open(t, s3.Options{Bucket: bucket, Endpoint: server.Endpoint})
	_, err := store.Put(t.Context(), "k", func(w io.Writer) error {
		if _, err := w.Write(content[:9<<20]); err != nil { // one part is sent
			return err
		}
		server.Down()
		_, err := w.Write(content)
		return err
	})
	require.Error(t, err)
	server.Up(t)
	_, err = store.Stat(t.Context(), "k")
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func TestUploadsOfCrashedWritersAreDeletedAndRunningOnesAreNot(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	bucket := server.NewBucket(t)
	store := open(t, s3.Options{Bucket: bucket, Prefix: "capi", Endpoint: server.Endpoint})
	for _, key := range []string{"capi/exports/left", "others/left"} {
		_, err := server.Client().CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String(key)})
		require.NoError(t, err)
	}
	require.NoError(t, store.Prune(t.Context()))
	require.Len(t, unfinished(t, server, bucket), 2, "they may still be written")
	require.NoError(t, s3.PruneBefore(t.Context(), store, time.Now().Add(time.Hour)))
	require.Equal(t, []string{"others/left"}, unfinished(t, server, bucket), "only within the prefix")
}

func TestAFailedPutAbortsItsUpload(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	bucket := server.NewBucket(t)
	store := open(t, s3.Options{Bucket: bucket, Endpoint: server.Endpoint})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := store.Put(ctx, "k", func(w io.Writer) error {
		_, err := w.Write(content)
		cancel()
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, unfinished(t, server, bucket))
}

func unfinished(t *testing.T, server *s3test.Server, bucket string) (names []string) {
	t.Helper()
	got, err := server.Client().ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &bucket})
	require.NoError(t, err)
	for _, u := range got.Uploads {
		names = append(names, *u.Key)
	}
	return names
}

func TestWrongSettingsAreNamedAtTheStart(t *testing.T) {
	server := s3test.Start(t)
	bucket := server.NewBucket(t)
	check := func(o s3.Options) error { return open(t, o).Check(t.Context()) }
	require.ErrorContains(t, check(s3.Options{Bucket: "no-such-bucket", Endpoint: server.Endpoint}), "there is no such bucket")
	t.Run("away", func(t *testing.T) {
		t.Setenv("AWS_MAX_ATTEMPTS", "1")
		require.ErrorContains(t, check(s3.Options{Bucket: bucket, Endpoint: "http://127.0.0.1:1"}), "check that it can be reached")
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
		require.ErrorContains(t, check(s3.Options{Bucket: bucket, Endpoint: server.Endpoint}), "the credentials are wrong")
	})
	t.Run("wrong key", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "wrong")
		require.ErrorContains(t, check(s3.Options{Bucket: bucket, Endpoint: server.Endpoint}), "the credentials are wrong")
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
		t.Setenv("AWS_CONFIG_FILE", "/dev/null")
		require.ErrorContains(t, check(s3.Options{Bucket: bucket, Endpoint: server.Endpoint}), "there are no credentials")
	})
}

func TestLinksLeadToThePublicEndpoint(t *testing.T) {
	t.Parallel()
	store := open(t, s3.Options{Bucket: "exports", Endpoint: "http://storage.internal:9000", PublicEndpoint: "https://files.example.com"})
	link, err := store.SignedURL(t.Context(), "a.csv", blob.Link{ExpiresAt: time.Now().Add(time.Minute)})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(link, "https://files.example.com/exports/a.csv?"), link)
}
