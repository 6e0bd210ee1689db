package upload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/upload"
)

const leads = "Firm,Web,Town,Staff\nAcme,acme.example,Bonn,20\nBolt,bolt.example,Ulm,30\n,,Jena,\n"

type fixture struct {
	*testkit.Fixture
	dir string
}

func open(t *testing.T, change ...func(*upload.Options)) *fixture {
	t.Helper()
	h := &fixture{dir: t.TempDir()}
	o := upload.Options{Dir: filepath.Join(h.dir, "uploads"), Rejects: filepath.Join(h.dir, "rejects"), SizeBytesMax: 1 << 20}
	for _, fn := range change {
		fn(&o)
	}
	h.Fixture = testkit.New(t, services.Parts{Uploads: o})
	return h
}

func (h *fixture) start(t *testing.T) {
	t.Helper()
	require.NoError(t, h.Uploads.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, h.Uploads.Close(t.Context())) })
}

// again returns the uploads as another process would.
func (h *fixture) again() *upload.Uploads { return upload.New(h.UndoOptions(), h.Uploads.Options) }

// received returns an upload of files, given as pairs of name and content.
func (h *fixture) received(t *testing.T, files ...string) id.Upload {
	t.Helper()
	x := id.New[id.Upload]()
	require.NoError(t, h.Uploads.Create(x, id.New[id.Person]()))
	for i := 0; i < len(files); i += 2 {
		_, err := h.Uploads.Add(x, files[i], strings.NewReader(files[i+1]))
		require.NoError(t, err)
	}
	return x
}

// waits waits until the upload is in the state.
func (h *fixture) waits(t *testing.T, x id.Upload, state upload.State) upload.Upload {
	t.Helper()
	var up upload.Upload
	require.Eventually(t, func() bool {
		var err error
		up, err = h.Uploads.Get(x)
		require.NoError(t, err)
		return up.State == state
	}, 20*time.Second, 5*time.Millisecond, "%s", state)
	return up
}

func TestAnUploadIsPlannedAndImported(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.start(t)
	x := h.received(t, "leads.csv", leads)
	require.NoError(t, h.Uploads.Plan(x, upload.Settings{}))
	up := h.waits(t, x, upload.StatePlanned)
	require.Equal(t, []int{3, 2, 1}, []int{up.Plan.Read, up.Plan.Added, up.Plan.Rejected})
	n, err := h.Catalog.Len(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "a plan writes nothing")

	// The plan is that of the command.
	path := filepath.Join(t.TempDir(), "leads.csv")
	require.NoError(t, os.WriteFile(path, []byte(leads), 0o600))
	expected, err := importer.Import(t.Context(), importer.Options{Catalog: h.Catalog, Files: []string{path}, DryRun: true})
	require.NoError(t, err)
	require.JSONEq(t, planText(t, expected, filepath.Dir(path)+"/"), planText(t, *up.Plan, ""))

	require.NoError(t, h.Uploads.Import(x, id.Person{}))
	require.NoError(t, h.Uploads.Import(x, id.Person{}), "a second click does nothing")
	up = h.waits(t, x, upload.StateImported)
	require.Equal(t, []int{3, 2, 1}, []int{up.Result.Read, up.Result.Added, up.Result.Rejected})
	require.Equal(t, []int64{1}, up.Imports)
	rejected, err := os.ReadFile(up.Result.Sources[0].Rejects)
	require.NoError(t, err)
	require.Contains(t, string(rejected), ",,Jena,")
	imports, err := h.Catalog.Imports(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, imports, 1)
	require.Equal(t, []string{"leads.csv"}, imports[0].Files)
	require.NotNil(t, imports[0].FinishedAt)
	require.NoDirExists(t, filepath.Join(h.Uploads.Dir, x.String(), "files"), "what is loaded is not kept twice")
	require.Error(t, h.Uploads.Plan(x, upload.Settings{}))

	require.NoError(t, h.Uploads.Undo(t.Context(), 1))
	require.Eventually(t, func() bool { s, _ := h.Uploads.UndoingOf(1); return !s.Running }, 30*time.Second, 5*time.Millisecond)
	s, _ := h.Uploads.UndoingOf(1)
	require.NoError(t, s.Err)
	require.Equal(t, 2, s.Undone.Removed)
}

// planText returns the plan as JSON without its time and the folder of its files.
func planText(t *testing.T, s importer.Summary, folder string) string {
	t.Helper()
	s.Took = 0
	p, err := json.Marshal(s)
	require.NoError(t, err)
	return strings.ReplaceAll(string(p), folder, "")
}

func TestChoicesChangeThePlan(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.start(t)
	x := h.received(t, "codes.csv", "label,code,note\nAcme,a-1,x\nBolt,b-1,y\n")
	require.NoError(t, h.Uploads.Plan(x, upload.Settings{}))
	up := h.waits(t, x, upload.StatePlanned)
	require.True(t, up.Plan.Sources[0].Unread)
	require.Empty(t, up.Problems, "the plan says it")
	require.False(t, upload.Loads(up.Plan))
	require.Error(t, h.Uploads.Import(x, id.Person{}))

	s := up.Settings
	table := upload.TableKey("codes.csv", 0)
	s.Choose(table, "label", upload.Choice{As: "name"})
	s.Choose(table, "code", upload.Choice{As: upload.ChoiceKey})
	s.Choose(table, "note", upload.Choice{As: upload.ChoiceIgnore})
	s.Set = map[string]string{"country": "Germany"}
	require.NoError(t, h.Uploads.Plan(x, s))
	up = h.waits(t, x, upload.StatePlanned)
	fields := map[string]string{}
	for _, c := range up.Plan.Sources[0].Columns {
		fields[c.Column] = c.Field
		require.Equal(t, importer.ByYou, c.By)
	}
	require.Equal(t, map[string]string{"label": "name", "code": "key", "note": ""}, fields)
	require.Equal(t, 2, up.Plan.Added)

	for name, change := range map[string]func(*upload.Settings){
		"a field that does not exist": func(s *upload.Settings) { s.Choose(table, "label", upload.Choice{As: "nmae"}) },
		"two keys":                    func(s *upload.Settings) { s.Choose(table, "label", upload.Choice{As: upload.ChoiceKey}) },
		"the same id for all":         func(s *upload.Settings) { s.Set = map[string]string{"id": "1"} },
	} {
		t.Run(name, func(t *testing.T) {
			bad := upload.Settings{}
			bad.Choose(table, "code", upload.Choice{As: upload.ChoiceKey})
			change(&bad)
			require.Equal(t, fault.Validation, fault.CodeOf(h.Uploads.Plan(x, bad)))
		})
	}
}

func TestAFileThatIsNoTableIsRefusedAndDeleted(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.start(t)
	x := h.received(t, "page.csv", "<!doctype html><html><body>Sign in</body></html>", "doc.pdf", "%PDF-1.7\n…", "empty.csv", "")
	up, err := h.Uploads.Get(x)
	require.NoError(t, err)
	require.Contains(t, up.Files[0].Refused, "an HTML page")
	require.Contains(t, up.Files[0].Refused, "download the file again")
	require.Contains(t, up.Files[1].Refused, "a PDF document")
	require.Contains(t, up.Files[2].Refused, "it is empty")
	left, err := os.ReadDir(filepath.Join(h.Uploads.Dir, x.String(), "files"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, fault.Validation, fault.CodeOf(h.Uploads.Plan(x, upload.Settings{})))
	_, err = h.Uploads.Add(x, "leads.csv", strings.NewReader(leads))
	require.NoError(t, err)
	require.NoError(t, h.Uploads.Plan(x, upload.Settings{}), "another file is planned without them")
	require.Equal(t, 2, h.waits(t, x, upload.StatePlanned).Plan.Added)
}

func TestAFileArrivesInPartsThatCanBeSentAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	x := h.received(t)
	part := upload.Part{Name: "leads.csv", SizeBytes: int64(len(leads)), Modified: "1"}
	send := func(p upload.Part, in io.Reader) (int64, upload.File, error) { return h.Uploads.Append(x, p, in) }
	n, _, err := send(part, io.MultiReader(strings.NewReader(leads[:20]), failing{}))
	require.Error(t, err, "the connection broke")
	require.Equal(t, int64(20), n)
	n, _, err = send(part, strings.NewReader(leads))
	require.NoError(t, err)
	require.Equal(t, int64(20), n, "it begins where it ended")
	up, err := h.again().Get(x)
	require.NoError(t, err)
	require.Equal(t, int64(20), up.Files[0].ReceivedBytes)
	require.Empty(t, up.Usable())
	part.OffsetBytes = 20
	n, f, err := send(part, strings.NewReader(leads[20:]+"more than was said"))
	require.NoError(t, err)
	require.Equal(t, part.SizeBytes, n)
	require.True(t, f.Complete)
	path := filepath.Join(h.Uploads.Dir, x.String(), "files", "leads.csv")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, leads, string(content))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	n, _, err = send(upload.Part{Name: "leads.csv", SizeBytes: 30, Modified: "2"}, strings.NewReader("name,domain\n"))
	require.NoError(t, err)
	require.Equal(t, int64(12), n, "another file of the same name begins at 0 again")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("reset by peer") }

func TestUploadsHaveALimit(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *upload.Options) { o.SizeBytesMax = 1 << 10 })
	x := h.received(t, "leads.csv", leads)
	_, err := h.Uploads.Add(x, "big.csv", bytes.NewReader(make([]byte, 1<<10)))
	require.Equal(t, fault.PayloadTooLarge, fault.CodeOf(err))
	require.ErrorContains(t, err, "1 KiB")
	_, _, err = h.Uploads.Append(x, upload.Part{Name: "big.csv", SizeBytes: 1 << 10}, nil)
	require.Equal(t, fault.PayloadTooLarge, fault.CodeOf(err))
	up, err := h.Uploads.Get(x)
	require.NoError(t, err)
	require.Equal(t, []string{"leads.csv"}, up.Usable())
	require.NoFileExists(t, filepath.Join(h.Uploads.Dir, x.String(), "files", "big.csv"))
	off := open(t, func(o *upload.Options) { o.SizeBytesMax = 0 })
	require.Equal(t, fault.NotFound, fault.CodeOf(off.Uploads.Create(id.New[id.Upload](), id.Person{})))
}

func TestNamesOfFilesCannotLeaveTheFolder(t *testing.T) {
	t.Parallel()
	h := open(t)
	x := h.received(t)
	for given, expected := range map[string]string{
		"../../etc/passwd": "passwd", `C:\data\leads.csv`: "leads.csv", "..": "file", "": "file-2", "a\x00b\n.csv": "a_b_.csv",
		"LEADS.csv": "LEADS-2.csv", "数据.tar.gz": "数据.tar.gz", "-": "-", strings.Repeat("é", 200) + ".csv.gz": "",
	} {
		f, err := h.Uploads.Add(x, given, strings.NewReader(leads))
		require.NoError(t, err, given)
		require.LessOrEqual(t, len(f.Name), 190)
		if expected != "" && !strings.HasPrefix(strings.ToLower(expected), "leads") && !strings.HasPrefix(expected, "file") {
			require.Equal(t, expected, f.Name)
		}
		require.Equal(t, filepath.Base(f.Name), f.Name)
	}
	up, err := h.Uploads.Get(x)
	require.NoError(t, err)
	require.Len(t, up.Usable(), 9, "every file has a name of its own")
	require.NoFileExists(t, filepath.Join(h.Uploads.Dir, "passwd"))
}

func TestAnImportWhoseServerEndedIsNotFinished(t *testing.T) {
	t.Parallel()
	h := open(t)
	x := h.received(t, "leads.csv", leads)
	h.interruptedBy(t, x)
	h.start(t)
	up := h.waits(t, x, upload.StateInterrupted)
	require.Equal(t, []int64{7}, up.Imports)
	require.NoError(t, h.Uploads.Import(x, id.Person{}), "import again")
	up = h.waits(t, x, upload.StateImported)
	require.Equal(t, []int64{7, 1}, up.Imports)
}

// interruptedBy leaves the upload as a server that was killed while it imported.
func (h *fixture) interruptedBy(t *testing.T, x id.Upload) {
	t.Helper()
	path := filepath.Join(h.Uploads.Dir, x.String(), "upload.json")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var up upload.Upload
	require.NoError(t, json.Unmarshal(content, &up))
	up.State, up.Imports = upload.StateImporting, []int64{7}
	content, err = json.Marshal(up)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

func TestImportsWaitForEachOther(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.start(t)
	first, second := h.received(t, "a.csv", leads), h.received(t, "b.csv", leads)
	for _, x := range []id.Upload{first, second} {
		require.NoError(t, h.Uploads.Plan(x, upload.Settings{}))
		h.waits(t, x, upload.StatePlanned)
	}
	// Another server imports.
	lock, err := filelock.Try(filepath.Join(h.Uploads.Dir, "import.lock"))
	for errors.Is(err, filelock.ErrLocked) {
		lock, err = filelock.Try(filepath.Join(h.Uploads.Dir, "import.lock"))
	}
	require.NoError(t, err)
	require.NoError(t, h.Uploads.Import(first, id.Person{}))
	require.NoError(t, h.Uploads.Import(second, id.Person{}))
	up, err := h.Uploads.Get(second)
	require.NoError(t, err)
	require.Equal(t, 1, up.Ahead)
	require.NoError(t, h.Uploads.Stop(second))
	require.Equal(t, upload.StatePlanned, h.waits(t, second, upload.StatePlanned).State, "what only waits can be taken back")
	require.NoError(t, h.Uploads.Import(second, id.Person{}))
	require.NoError(t, lock.Close())
	require.Equal(t, 2, h.waits(t, first, upload.StateImported).Result.Added)
	require.Equal(t, 2, h.waits(t, second, upload.StateImported).Result.Unchanged)
}

func TestAbandonedUploadsAreDeleted(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *upload.Options) { o.Abandoned, o.Kept = time.Nanosecond, time.Hour })
	x := h.received(t, "leads.csv", leads)
	require.NoError(t, h.Uploads.Prune(t.Context()))
	_, err := h.Uploads.Get(x)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.ErrorContains(t, err, "deleted after a day")
	require.NoDirExists(t, filepath.Join(h.Uploads.Dir, x.String()))
	kept := open(t)
	x = kept.received(t, "leads.csv", leads)
	require.NoError(t, kept.Uploads.Prune(t.Context()))
	_, err = kept.Uploads.Get(x)
	require.NoError(t, err)
	require.NoError(t, kept.Uploads.Delete(x))
	require.NoDirExists(t, filepath.Join(kept.Uploads.Dir, x.String()))
}

func TestAnUploadOfAnotherServerIsNotFoundAndTheMessageSaysWhy(t *testing.T) {
	t.Parallel()
	first := open(t, func(o *upload.Options) { o.SeveralServers = true })
	x := first.received(t, "leads.csv", leads)
	second := open(t, func(o *upload.Options) { o.SeveralServers = true })
	_, err := second.Uploads.Get(x)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.ErrorContains(t, err, "an upload stays on the one that received it")
}
