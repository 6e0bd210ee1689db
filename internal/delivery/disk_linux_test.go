package delivery_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/remote/sftp/sftptest"
)

// The folder of the server is a disk of 8 KiB, which the file alone would fill.
func TestADiskThatIsTooSmallIsSaid(t *testing.T) {
	t.Parallel()
	h, server := newHouse(t, dbtest.SQLite(t)), sftptest.Start(t)
	h.addHost(t, server, server.Port)
	h.Put(t, companytest.Slice(11, 80)...)
	disk := filepath.Join(server.Dir, "in")
	require.NoError(t, os.MkdirAll(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8k,mode=777"); errors.Is(err, syscall.EPERM) {
		t.Skip("only root can mount a small disk")
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	e, _, err := h.Exports.Create(t.Context(), h.caller, export.Request{Name: "Größe & more", Destination: h.to.ID})
	require.NoError(t, err)
	h.work(t)
	failed := h.delivery(t, e.ID)
	require.Equal(t, delivery.Failed, failed.State)
	require.Contains(t, failed.Error, "is full: there is no room for "+nameOf(e)+". Make room, then deliver again.")
	require.Empty(t, namesIn(t, folderOf(server, e)), "the unfinished file is taken away")

	require.NoError(t, syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=1m,mode=777"))
	h.again(t, e)
	whole(t, server, e)
}
