package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The commands are those of the guide, and the restore is made when people make one: after a crash, with the log of the old
// database still in the directory.
func TestTheCommandsOfTheGuideRestoreABackupAfterACrash(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 10_000)
	s.load(t, companies(0, 3_000, nil))
	v := s.serve(t)
	c := s.client(v)
	var before created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("before", map[string]any{"employee_count_max": 999}), &before)
	c.wait(t, before.Job.ID)
	content := c.file(t, before.Job.ID)
	balance := c.credits(t).Balance
	keys := fetch(t, v.url+"/.well-known/jwks.json")

	to := filepath.Join(t.TempDir(), "today")
	create, restore := guideCommands(t)
	s.shell(t, create, to) // while the server runs
	s.load(t, companies(3_000, 12_000, nil))
	var after created
	c.must(t, http.StatusCreated, "POST", "/exports", exportOf("after", map[string]any{"employee_count_min": 1_000, "employee_count_max": 2_999}), &after)
	require.Less(t, c.credits(t).Balance, balance)

	out, err := s.command("restore", to).CombinedOutput()
	require.Error(t, err, "a server uses the directory")
	require.Contains(t, string(out), "is in use by another capi serve")
	v.kill(t)
	info, err := os.Stat(filepath.Join(s.data, "capi.db-wal"))
	require.NoError(t, err)
	require.Positive(t, info.Size(), "the crash has left a log")

	s.shell(t, restore, to)
	v = s.serve(t)
	c = s.client(v)
	require.Equal(t, balance, c.credits(t).Balance)
	require.Equal(t, content, c.file(t, before.Job.ID))
	require.Equal(t, string(keys), string(fetch(t, v.url+"/.well-known/jwks.json")), "what was signed before is verified after")
	var found struct{ Total int }
	c.must(t, http.StatusOK, "POST", "/companies/search", map[string]any{}, &found)
	require.Equal(t, 3_000, found.Total)
	s.requireHealthy(t)
	replaced, err := filepath.Glob(filepath.Join(s.data, "replaced-*", "capi.db-wal"))
	require.NoError(t, err)
	require.Len(t, replaced, 1, "nothing is lost")
}

var guideBlock = regexp.MustCompile("(?s)```console\n(.*?)```")

// guideCommands returns the commands of the guide's section about backups: to make one, and to put it back.
func guideCommands(t *testing.T) (create, restore string) {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "docs", "guide", "self-hosting.md"))
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(guide), "\n## Backups\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := guideBlock.FindAllStringSubmatch(section, -1)
	require.Len(t, blocks, 2)
	return blocks[0][1], blocks[1][1]
}

// shell runs commands of the guide on the fixture's data, with the backup in the given directory.
func (s *fixture) shell(t *testing.T, commands, to string) {
	t.Helper()
	commands = strings.NewReplacer("/var/lib/capi", s.data, "/backup/today", to, "capi ", binary+" ").Replace(commands)
	cmd := exec.Command("sh", "-ec", commands)
	cmd.Env = append(os.Environ(), s.settings...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", commands, out)
}

func TestADamagedDatabaseIsNotServedAfterACrash(t *testing.T) {
	t.Parallel()
	s := newFixture(t, 10_000)
	s.load(t, companies(0, 5_000, nil))
	v := s.serve(t)
	s.load(t, companies(5_000, 6_000, nil))
	v.kill(t)
	v = s.serve(t)
	require.Contains(t, v.stderr.String(), "the database was not closed: it was checked and is intact")
	s.load(t, companies(6_000, 7_000, nil))
	v.kill(t)

	f, err := os.OpenFile(filepath.Join(s.data, "capi.db"), os.O_RDWR, 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, 400_000), info.Size()/2)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	out, err := s.command("serve", "--addr", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "the database is damaged: ")
	require.Contains(t, string(out), "put a backup back with capi restore")
}
