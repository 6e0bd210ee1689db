package sftp_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	library "github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/remote/sftp"
)

// passwordServer is a server of a library: sshd checks passwords only as root and with accounts of the system.
func passwordServer(t *testing.T, dir string) (address string, hostKey ssh.PublicKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if string(password) != "right" {
			return nil, errors.New("wrong")
		}
		return nil, nil //nolint:nilnil // no permissions are needed
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn, config, dir)
		}
	}()
	return l.Addr().String(), signer.PublicKey()
}

func serve(conn net.Conn, config *ssh.ServerConfig, dir string) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		conn.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, asked, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				_ = r.Reply(r.Type == "subsystem", nil)
			}
		}()
		server, err := library.NewServer(channel, library.WithServerWorkingDirectory(dir))
		if err != nil {
			return
		}
		_ = server.Serve()
		channel.Close()
	}
}

func TestAPasswordLetsIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address, hostKey := passwordServer(t, dir)
	open := func(password string) *sftp.Server {
		return sftp.Open(sftp.Options{Address: address, User: "ann", Auth: ssh.Password(password), HostKey: hostKey, Dial: (&net.Dialer{}).DialContext})
	}
	hello := func(w io.Writer) error {
		_, err := io.WriteString(w, "hello")
		return err
	}
	s := open("right")
	for range 2 { // the second time, the file is replaced
		require.NoError(t, s.Put(t.Context(), "a/b/c.txt", "", hello))
	}
	content, err := os.ReadFile(filepath.Join(dir, "a/b/c.txt"))
	require.NoError(t, err)
	require.Equal(t, "hello", string(content))
	entries, err := os.ReadDir(filepath.Join(dir, "a/b"))
	require.NoError(t, err)
	require.Len(t, entries, 1)

	stop := errors.New("stop")
	require.ErrorIs(t, s.Put(t.Context(), "a/b/c.txt", "", func(io.Writer) error { return stop }), stop, "what fails here is not blamed on the server")
	content, err = os.ReadFile(filepath.Join(dir, "a/b/c.txt"))
	require.NoError(t, err)
	require.Equal(t, "hello", string(content))
	require.NoError(t, s.Delete(t.Context(), "a/b/c.txt"))

	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a/b/c.txt/folder"), 0o700))
	require.Error(t, s.Put(t.Context(), "a/b/c.txt", "", hello), "a folder has the name of the file")
	entries, err = os.ReadDir(filepath.Join(dir, "a/b"))
	require.NoError(t, err)
	require.Len(t, entries, 1, "what could not be renamed is taken away")
	require.NoError(t, s.Close())

	err = open("wrong").Put(t.Context(), "x", "", hello)
	refused, ok := errors.AsType[*remote.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, remote.BadCredentials, refused.Reason)
}

func TestAHostKeyIsReadAsItIsPrinted(t *testing.T) {
	t.Parallel()
	_, hostKey := passwordServer(t, t.TempDir())
	line := sftp.Line(hostKey)
	for _, text := range []string{line, line + " root@example", "example.com " + line, "[example.com]:2222 " + line + "\n"} {
		key, err := sftp.ParseHostKey(text)
		require.NoError(t, err, text)
		require.Equal(t, hostKey.Marshal(), key.Marshal(), text)
	}
	_, err := sftp.ParseHostKey("SHA256:nonsense")
	require.Error(t, err)
}
