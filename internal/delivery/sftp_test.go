package delivery_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/remote/sftp/sftptest"
)

// relay forwards connections to a server, and cuts those that have sent more than limit bytes, unless that is 0.
func relay(t *testing.T, server *sftptest.Server) (port int, limit *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	limit = &atomic.Int64{}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort(server.Host, strconv.Itoa(server.Port))) //nolint:noctx // on this machine
			if err != nil {
				in.Close()
				return
			}
			from := io.Reader(in)
			if n := limit.Load(); n > 0 {
				from = io.LimitReader(in, n)
			}
			go func() {
				_, _ = io.Copy(out, from)
				out.Close()
				in.Close()
			}()
			go func() { _, _ = io.Copy(in, out) }()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, limit
}

func (h *house) addHost(t *testing.T, server *sftptest.Server, port int) {
	t.Helper()
	var err error
	h.to, err = h.Destinations.Create(t.Context(), destination.Destination{
		Workspace: h.caller.Workspace, Name: "Server", Kind: destination.SFTP, Prefix: "in/{date}",
		Host: destination.Host{Name: server.Host, Port: port, User: server.User, HostKey: ssh.FingerprintSHA256(server.HostKey)},
	}, destination.Secrets{PrivateKey: server.PrivateKey})
	require.NoError(t, err)
}

func folderOf(server *sftptest.Server, e export.Export) string {
	return filepath.Join(server.Dir, "in", e.CreatedAt.UTC().Format(time.DateOnly))
}

func nameOf(e export.Export) string {
	return fmt.Sprintf("größe-more-%s-%s.csv", e.CreatedAt.UTC().Format(time.DateOnly), e.ID)
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// whole checks that the files of an export are at the server, whole, and nothing else is.
func whole(t *testing.T, server *sftptest.Server, e export.Export) {
	t.Helper()
	dir, name := folderOf(server, e), nameOf(e)
	require.ElementsMatch(t, []string{name, "_" + name + ".manifest.json", "_" + name + ".manifest.json.jws"}, namesIn(t, dir))
	manifest, err := os.ReadFile(filepath.Join(dir, "_"+name+".manifest.json"))
	require.NoError(t, err)
	m, err := export.ParseManifest(bytes.NewReader(manifest))
	require.NoError(t, err)
	file, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	checks, err := m.Verify(bytes.NewReader(file))
	require.NoError(t, err)
	for _, c := range checks {
		require.True(t, c.OK, c.Problem())
	}
}

func (h *house) again(t *testing.T, e export.Export) {
	t.Helper()
	_, err := h.Deliveries.Again(t.Context(), h.caller.Workspace, e.ID)
	require.NoError(t, err)
	h.work(t)
}

func TestAnExportIsDeliveredToAnSFTPServer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h, server := newHouse(t, d), sftptest.Start(t)
		h.addHost(t, server, server.Port)
		e := h.buy(t)
		h.work(t)
		require.Empty(t, h.delivery(t, e.ID).Error)
		whole(t, server, e)
		h.again(t, e)
		whole(t, server, e)
		require.Equal(t, delivery.Delivered, h.delivery(t, e.ID).State)
		require.EqualValues(t, 90, h.balance(t))
	})
}

func TestNothingIsSentToAServerWithAnotherHostKey(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t, dbtest.SQLite(t)), sftptest.Start(t)
	h.addHost(t, server, server.Port)
	server.ChangeHostKey(t)
	e := h.buy(t)
	h.work(t)
	failed := h.delivery(t, e.ID)
	require.Equal(t, delivery.Failed, failed.State)
	require.Contains(t, failed.Error, "has another host key than before (ssh-ed25519 "+ssh.FingerprintSHA256(server.HostKey))
	require.Empty(t, namesIn(t, folderOf(server, e)), "only the folder of the test is there")

	_, err := h.Destinations.Update(t.Context(), h.caller.Workspace, h.to.ID, destination.Change{
		HostKey: new(ssh.FingerprintSHA256(server.HostKey)), PrivateKey: &server.PrivateKey,
	})
	require.NoError(t, err)
	h.again(t, e)
	whole(t, server, e)
}

func TestAFullDiskAndACutConnectionLeaveNoManifest(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t, dbtest.SQLite(t)), sftptest.Start(t)
	port, limit := relay(t, server)
	h.addHost(t, server, port)
	dir := func(e export.Export) string { return folderOf(server, e) }

	full := h.buy(t)
	part := filepath.Join(dir(full), "."+nameOf(full)+".part")
	require.NoError(t, os.Symlink("/dev/full", part)) // the device on which every write finds no room
	h.work(t)
	events := h.events(t)
	require.Len(t, events, 2)
	require.Equal(t, "export.delivery_failed", events[0]["type"])
	require.Contains(t, events[0]["error"], "Often a disk or quota is full")
	require.Equal(t, 2, h.delivery(t, full.ID).Attempts, "the failed attempt took its unfinished file away, so the next one had room")
	whole(t, server, full)

	require.NoError(t, os.RemoveAll(dir(full)))
	limit.Store(6000) // in the middle of the file
	cutOff := h.buy(t)
	h.work(t)
	failed := h.delivery(t, cutOff.ID)
	require.Equal(t, delivery.Failed, failed.State)
	require.Contains(t, failed.Error, "was cut")
	require.NoFileExists(t, filepath.Join(dir(cutOff), nameOf(cutOff)))
	require.NoFileExists(t, filepath.Join(dir(cutOff), "_"+nameOf(cutOff)+".manifest.json"))
	limit.Store(0)
	h.again(t, cutOff)
	whole(t, server, cutOff)
	require.EqualValues(t, 90, h.balance(t))
}
