// Package sftptest runs a real SFTP server for tests, one that is not ours: the sshd of OpenSSH.
package sftptest

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/testkit/required"
)

// programEnv names another sshd than that of the system.
const programEnv = "CAPI_TEST_SSHD"

// Server is an SFTP server on this machine. It lets its user in with PrivateKey alone: sshd checks passwords only as root.
type Server struct {
	Host       string
	Port       int
	User       string
	PrivateKey string // in the format of OpenSSH
	HostKey    ssh.PublicKey
	Dir        string // where a session begins

	program, config string // files
	hostKeyFile     string
	account         *user.User
	process         *exec.Cmd
}

// Start starts a server, which runs until the end of the test. It skips the test if there is no sshd, unless CAPI_TEST_REQUIRE has sshd.
func Start(t testing.TB) *Server {
	t.Helper()
	program := cmp.Or(os.Getenv(programEnv), "/usr/sbin/sshd")
	if _, err := os.Stat(program); err != nil {
		required.Missing(t, "sshd", "there is no %s: install openssh-server", program)
	}
	account, err := user.Current()
	require.NoError(t, err)
	if account.Uid == "0" { // sshd as root needs what only an installation makes
		account, err = user.Lookup("nobody")
		require.NoError(t, err)
	}
	root, err := os.MkdirTemp("", "sftptest") // the folders of a test are closed to the account
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(root)) })
	require.NoError(t, os.Chmod(root, 0o755)) //nolint:gosec // the account must get in
	s := &Server{
		Host: "127.0.0.1", User: account.Username, Dir: filepath.Join(root, "files"), program: program, account: account,
		config: filepath.Join(root, "sshd_config"), hostKeyFile: filepath.Join(root, "host_key"),
	}
	require.NoError(t, os.Mkdir(s.Dir, 0o755)) //nolint:gosec // as above
	s.own(t, s.Dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.Port = l.Addr().(*net.TCPAddr).Port
	l.Close()

	own, public := newKey(t)
	s.PrivateKey = own
	authorized := filepath.Join(root, "authorized_keys")
	s.write(t, authorized, string(ssh.MarshalAuthorizedKey(public)))
	// With PAM, an account without a password is not taken for a locked one.
	s.write(t, s.config, fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nUsePAM yes\nLogLevel ERROR\n"+
		"PasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp -d %s\nForceCommand internal-sftp -d %s\n",
		s.Port, s.hostKeyFile, authorized, s.Dir, s.Dir))
	s.newHostKey(t)
	s.up(t)
	t.Cleanup(s.down)
	return s
}

func newKey(t testing.TB) (private string, public ssh.PublicKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block)), signer.PublicKey()
}

func (s *Server) write(t testing.TB, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	s.own(t, name)
}

func (s *Server) ids() (uid, gid int) {
	uid, _ = strconv.Atoi(s.account.Uid)
	gid, _ = strconv.Atoi(s.account.Gid)
	return uid, gid
}

func (s *Server) own(t testing.TB, name string) {
	t.Helper()
	uid, gid := s.ids()
	require.NoError(t, os.Chown(name, uid, gid))
}

func (s *Server) newHostKey(t testing.TB) {
	t.Helper()
	private, public := newKey(t)
	s.write(t, s.hostKeyFile, private)
	s.HostKey = public
}

func (s *Server) up(t testing.TB) {
	t.Helper()
	var log bytes.Buffer
	s.process = exec.Command(s.program, "-D", "-e", "-f", s.config) //nolint:noctx // it ends with the test
	s.process.Stdout, s.process.Stderr = &log, &log
	if os.Getuid() == 0 {
		uid, gid := s.ids()
		s.process.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // small
	}
	require.NoError(t, s.process.Start())
	deadline := time.Now().Add(30 * time.Second)
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))) //nolint:noctx // on this machine
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.down()
			t.Fatalf("sshd does not start: %v\n%s", err, &log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *Server) down() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// ChangeHostKey starts the server again with another host key.
func (s *Server) ChangeHostKey(t testing.TB) {
	t.Helper()
	s.down()
	s.newHostKey(t)
	s.up(t)
}

// Close makes the folder read-only for the user.
func (s *Server) Close(t testing.TB) {
	t.Helper()
	require.NoError(t, os.Chmod(s.Dir, 0o555)) //nolint:gosec // on purpose
}
