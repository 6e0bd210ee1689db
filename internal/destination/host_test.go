package destination_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/remote/sftp/sftptest"
)

func (h *house) host(server *sftptest.Server) (destination.Destination, destination.Secrets) {
	return destination.Destination{
		Workspace: h.ws, Name: "Server", Kind: destination.SFTP, Prefix: "in/{year}",
		Host: destination.Host{Name: server.Host, Port: server.Port, User: server.User, HostKey: ssh.FingerprintSHA256(server.HostKey)},
	}, destination.Secrets{PrivateKey: server.PrivateKey}
}

func TestAnSFTPServerIsTrustedForItsHostKeyAlone(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := open(t, d, destination.Options{Allow: loopback})
		given, secrets := h.host(server)
		fingerprint := given.Host.HostKey

		given.Host.HostKey = ""
		_, err := h.Destinations.Create(t.Context(), given, secrets)
		require.Equal(t, "sftp.host_key", fault.Fields(err)[0].Field)
		require.ErrorContains(t, err, "The server shows ssh-ed25519 "+fingerprint, "it is shown to be confirmed")
		given.Host.HostKey = "SHA256:anotherone"
		_, err = h.Destinations.Create(t.Context(), given, secrets)
		require.ErrorContains(t, err, "is not the key of the server")
		given.Host.HostKey = "nonsense"
		_, err = h.Destinations.Create(t.Context(), given, secrets)
		require.ErrorContains(t, err, "must be the host key in one line")

		given.Host.HostKey = fingerprint
		made, err := h.Destinations.Create(t.Context(), given, secrets)
		require.NoError(t, err)
		require.Contains(t, made.Host.HostKey, "ssh-ed25519 AAAA", "the whole key is kept")
		read, err := h.Destinations.Get(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.Equal(t, made, read)
		var sealed []byte
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT secrets FROM destination`).Scan(&sealed))
		require.NotContains(t, string(sealed), "OPENSSH")
		r, err := h.Destinations.Test(t.Context(), h.ws, made.ID)
		require.NoError(t, err)
		require.True(t, r.OK, r.Message)
		require.True(t, r.Deleted, r.Message)
		_, err = os.Stat(filepath.Join(server.Dir, r.Path))
		require.ErrorIs(t, err, os.ErrNotExist)

		_, err = h.Destinations.Update(t.Context(), h.ws, made.ID, destination.Change{User: new("root")})
		require.ErrorContains(t, err, "needs the password or private_key again")
	})
}

func TestAnSFTPServerThatCannotBeWrittenToIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	server, closed := sftptest.Start(t), sftptest.Start(t)
	closed.Close(t)
	h := open(t, dbtest.SQLite(t), destination.Options{Allow: loopback})
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("secret"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		server *sftptest.Server
		change func(*destination.Destination, *destination.Secrets)
		field  string
		want   string
	}{
		"wrong key": {server, func(_ *destination.Destination, s *destination.Secrets) {
			s.PrivateKey = string(pem.EncodeToMemory(block))
		}, "sftp.user", "does not let the user"},
		"password": {server, func(_ *destination.Destination, s *destination.Secrets) { *s = destination.Secrets{Password: "x"} }, "sftp.user", "does not let the user"},
		"both":     {server, func(_ *destination.Destination, s *destination.Secrets) { s.Password = "x" }, "sftp.password", "must be missing beside"},
		"neither":  {server, func(_ *destination.Destination, s *destination.Secrets) { s.PrivateKey = "" }, "sftp.password", "is required"},
		"locked key": {
			server, func(_ *destination.Destination, s *destination.Secrets) {
				s.PrivateKey = string(pem.EncodeToMemory(locked))
			},
			"sftp.private_key", "protected by a passphrase",
		},
		"broken key": {server, func(_ *destination.Destination, s *destination.Secrets) { s.PrivateKey = "x" }, "sftp.private_key", "cannot be read"},
		"no rights":  {closed, func(*destination.Destination, *destination.Secrets) {}, "prefix", "does not allow the user"},
		"host":       {server, func(d *destination.Destination, _ *destination.Secrets) { d.Host.Name = "a/b" }, "sftp.host", "without sftp://"},
		"nobody there": {
			server, func(d *destination.Destination, _ *destination.Secrets) { d.Host.Port = 1 }, "sftp.host_key",
			"cannot be reached",
		},
		"private": {server, func(d *destination.Destination, _ *destination.Secrets) { d.Host.Name = "10.0.0.1" }, "sftp.host", "private, loopback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, s := h.host(c.server)
			if name == "no rights" {
				d.Prefix = ""
			}
			c.change(&d, &s)
			_, err := h.Destinations.Create(t.Context(), d, s)
			require.Equal(t, fault.Validation, fault.CodeOf(err))
			require.Equal(t, c.field, fault.Fields(err)[0].Field, err)
			require.ErrorContains(t, err, c.want)
		})
	}
}
