// Package s3test runs a real S3 server for tests, one that is not ours: versitygw, which "make bin/s3" builds.
package s3test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/testkit/required"
)

// The account of the server.
const (
	AccessKey = "capi"
	SecretKey = "a-secret-for-tests"
	Region    = "us-east-1"
)

// Server is an S3 server on this machine.
type Server struct {
	Endpoint string // URL

	name    string // of the program
	data    string
	process *exec.Cmd
	buckets atomic.Int32
}

// programs are the servers that Start knows, with how each is started on an address with a data directory.
var programs = map[string]func(program, address, data string) *exec.Cmd{
	"versitygw": func(program, address, data string) *exec.Cmd {
		cmd := exec.Command(program, "--port", address, "--quiet", "--iam-dir", data+usersDir, "posix", data)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
		return cmd
	},
	"minio": func(program, address, data string) *exec.Cmd {
		cmd := exec.Command(program, "server", "--quiet", "--address", address, data)
		cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+AccessKey, "MINIO_ROOT_PASSWORD="+SecretKey, "MINIO_BROWSER=off")
		return cmd
	},
}

// Start starts versitygw, which runs until the end of the test. It skips the test if the program has not been built, unless
// CAPI_TEST_REQUIRE has s3.
func Start(t testing.TB) *Server { return StartNamed(t, "versitygw", "s3") }

// usersDir follows the data directory: where versitygw keeps its users.
const usersDir = "-users"

// StartNamed is Start for versitygw or minio, and the word in CAPI_TEST_REQUIRE that makes it needed.
func StartNamed(t testing.TB, name, word string) *Server {
	t.Helper()
	program := find(name)
	if program == "" {
		required.Missing(t, word, "bin/%s does not exist: make bin/%s", name, name)
	}
	s := &Server{Endpoint: "http://" + freeAddress(t), name: program, data: filepath.Join(t.TempDir(), "data")}
	for _, dir := range []string{s.data, s.data + usersDir} {
		require.NoError(t, os.Mkdir(dir, 0o700))
	}
	s.Up(t)
	t.Cleanup(s.Down)
	return s
}

// Built reports whether Start starts a server. It does not skip a test if CAPI_TEST_REQUIRE has s3.
func Built() bool {
	return find("versitygw") != "" || required.Has("s3")
}

// find returns the path of a program in bin of the repository; empty if it is not there.
func find(name string) string {
	root, err := filepath.Abs(".")
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(root) == root {
			return ""
		}
		root = filepath.Dir(root)
	}
	path := filepath.Join(root, "bin", name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// Up starts the server again, at the same address with the same data, and waits until it answers.
func (s *Server) Up(t testing.TB) {
	t.Helper()
	var log bytes.Buffer
	s.process = programs[filepath.Base(s.name)](s.name, strings.TrimPrefix(s.Endpoint, "http://"), s.data)
	s.process.Stdout, s.process.Stderr = &log, &log
	require.NoError(t, s.process.Start())
	deadline := time.Now().Add(time.Minute)
	for {
		resp, err := http.Get(s.Endpoint) //nolint:noctx // on this machine
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Down()
			t.Fatalf("%s does not start: %v\n%s", s.name, err, &log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Down kills the server.
func (s *Server) Down() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// Client returns a client of the server.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})
}

// NewBucket creates an empty bucket and returns its name.
func (s *Server) NewBucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	_, err := s.Client().CreateBucket(context.WithoutCancel(t.Context()), &s3.CreateBucketInput{Bucket: aws.String(name)})
	require.NoError(t, err)
	return name
}

// NewUser creates an account of versitygw that may do in the bucket only what the actions say, such as s3:PutObject.
func (s *Server) NewUser(t testing.TB, bucket string, actions ...string) (accessKey, secretKey string) {
	t.Helper()
	accessKey, secretKey = fmt.Sprintf("user-%d", s.buckets.Add(1)), "another-secret"
	out, err := exec.Command(s.name, "admin", "--access", AccessKey, "--secret", SecretKey, "--endpoint-url", s.Endpoint, //nolint:noctx // on this machine
		"create-user", "--access", accessKey, "--secret", secretKey, "--role", "user").CombinedOutput()
	require.NoError(t, err, "%s", out)
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": [%q]}, "Action": ["%s"], "Resource": ["arn:aws:s3:::%s/*"]}]}`,
		accessKey, strings.Join(actions, `", "`), bucket)
	_, err = s.Client().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy})
	require.NoError(t, err)
	return accessKey, secretKey
}

// Keys returns the keys of the objects in the bucket.
func (s *Server) Keys(t testing.TB, bucket string) (keys []string) {
	t.Helper()
	page, err := s.Client().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	require.NoError(t, err)
	for _, o := range page.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

// Read returns the content of an object.
func (s *Server) Read(t testing.TB, bucket, key string) []byte {
	t.Helper()
	got, err := s.Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	require.NoError(t, err)
	defer got.Body.Close()
	content, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return content
}

// Exists reports whether the bucket has the object.
func (s *Server) Exists(t testing.TB, bucket, key string) bool {
	t.Helper()
	_, err := s.Client().HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	return err == nil
}

// Env returns the credentials as environment variables.
func Env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_EC2_METADATA_DISABLED=true"}
}
