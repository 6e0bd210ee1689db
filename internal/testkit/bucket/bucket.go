// Package bucket runs a real S3 server, versitygw, with one bucket, for programs that test or measure. Tests use s3test.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The account and the bucket of the server.
const (
	key    = "capi"
	secret = "a secret for tests"
	region = "us-east-1"
	name   = "capi"
)

// Server is an S3 server that can be killed.
type Server struct {
	Address string // host and port

	program, dir string
	process      *exec.Cmd
	ended        chan struct{}
}

// New starts the program, versitygw, with the bucket that is in the directory, or with an empty one in a new directory. The log is beside
// the directory.
func New(ctx context.Context, program, dir string) (*Server, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, errors.New("there is no S3 server: make bin/versitygw")
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{program: program, Address: fmt.Sprint("127.0.0.1:", port), dir: dir}
	if err := errors.Join(os.MkdirAll(dir, 0o700), s.Start(ctx)); err != nil {
		return nil, err
	}
	endpoint := "http://" + s.Address
	_, err = s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: region, UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	}).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)})
	if owned := (*types.BucketAlreadyOwnedByYou)(nil); err != nil && !errors.As(err, &owned) {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// freePort returns a port on which nothing listens.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil //nolint:forcetypeassert // it is TCP
}

// Start starts the server with what is in its directory, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(s.dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.process, s.ended = exec.Command(s.program, "--port", s.Address, "--quiet", "posix", s.dir), make(chan struct{})
	s.process.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+key, "ROOT_SECRET_KEY="+secret)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	go func(process *exec.Cmd, ended chan struct{}) {
		process.Wait() //nolint:errcheck // it is killed
		close(ended)
	}(s.process, s.ended)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address, nil)
		if err != nil {
			return err
		}
		if a, err := http.DefaultClient.Do(r); err == nil {
			return a.Body.Close()
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the S3 server ended at its start; see %s.log", s.dir)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("the S3 server does not answer; see %s.log", s.dir)
}

// Kill kills the server and waits until it has ended.
func (s *Server) Kill() {
	s.process.Process.Kill() //nolint:errcheck // it may have ended
	<-s.ended
}

// Settings are the environment variables of a capi that reaches the bucket at one address, and whose clients reach it at another.
func Settings(server, clients string) []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_EC2_METADATA_DISABLED=true",
		"CAPI_FILES=s3://" + name + "/capi?region=" + region + "&path_style=true&endpoint=" + url.QueryEscape("http://"+server) +
			"&public_endpoint=" + url.QueryEscape("http://"+clients),
	}
}
