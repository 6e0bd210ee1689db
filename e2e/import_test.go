package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

const leadList = `Company,Website,Job Title,First Name,Email,City,Country,# Employees
Acme Payments,https://acmepayments.example,CEO,Ann,ann@acmepayments.example,Oakland,United States,120
Acme Payments,https://acmepayments.example,CFO,Bob,bob@acmepayments.example,Oakland,United States,120
Zürich Ledger,ledger.example,CTO,Eve,eve@ledger.example,Zürich,Switzerland,40
,,Farmer,Dan,dan@gmail.com,,,
`

const registerFile = `CompanyName;CompanyNumber;RegAddress.PostTown;RegAddress.Country;IncorporationDate;CompanyStatus
HILL FARM LIMITED;01234567;LEEDS;England;03/02/1999;Active
MILL LANE BAKERY LTD;07654321;YORK;England;17/11/2011;Active
`

// TestImportInTheBrowser loads a lead list, a register and a workbook as somebody does who reads only the pages.
func TestImportInTheBrowser(t *testing.T) {
	b := chrome(t)
	require.NoError(t, os.MkdirAll(screenshotsDir, 0o755))
	s := &fixture{data: t.TempDir(), settings: []string{"CAPI_RATE_LIMITS=off"}}
	v := s.serve(t)
	p := newPerson(t, b, v.url, playwright.BrowserNewContextOptions{
		Viewport: &playwright.Size{Width: 1280, Height: 800}, AcceptDownloads: new(true), ColorScheme: playwright.ColorSchemeDark,
	})
	p.createsFirstAccount(v, "Lab")
	p.named("link", "Operator") // the menu has it
	p.open("/console/operator")
	p.press("link", "Imports")
	p.press("link", "Import files")
	p.check("drop-files")

	// A web page in place of the file is refused, and the right file goes on from there.
	p.dropsBesideTheField("export.csv", "<!doctype html><html><body>Please sign in</body></html>")
	p.press("button", "Upload")
	p.sees("this is an HTML page")
	p.check("refused")
	leads := s.write(t, "leads.csv", leadList)
	p.uploads(leads)
	p.sees("Import 2 companies")
	p.check("plan")
	_, err := p.Reload()
	require.NoError(t, err)
	p.sees("Import 2 companies")
	p.planIsThatOf(t, s, leads)

	require.NoError(t, p.locate(`select[aria-label="Read First Name as"]`).Press("End"), "a menu works by keyboard")
	_, err = p.locate(`select[aria-label="Read First Name as"]`).SelectOption(playwright.SelectOptionValues{Labels: &[]string{"Ignore"}})
	require.NoError(t, err)
	p.sees("Update the plan before you import")
	waits, err := p.named("button", "Import 2 companies").IsDisabled()
	require.NoError(t, err)
	require.True(t, waits, "an import would not use what was chosen")
	p.check("changed")
	p.press("button", "Update the plan")
	p.sees("your choice")
	p.press("button", "Import 2 companies")
	p.sees("The import has ended")
	p.check("imported")
	rejected := p.downloads(p.text(`a[href*="/rejects"]`))
	require.Contains(t, rejected, "dan@gmail.com")
	require.Contains(t, rejected, "#> line 5: ")

	// A register in another dialect.
	p.press("link", "Import more files")
	p.uploads(s.write(t, "Auszug für Köln, 2026.csv", registerFile))
	p.press("button", "Import 2 companies")
	p.sees("The import has ended")

	// A workbook whose upload is cut off, and that goes on after a reload.
	p.press("link", "Import more files")
	book := p.workbook(t)
	p.uploadsInTwo(book)
	p.sees("Import 400 companies")
	p.press("button", "Import 400 companies")
	p.sees("The import has ended")

	p.open("/console/operator/imports")
	p.check("imports")
	var imports []struct {
		Number int64
		Files  []string
	}
	s.json(t, &imports, "import", "list", "--json")
	require.Len(t, imports, 3)
	require.Equal(t, []string{"book.xlsx"}, imports[0].Files)
	require.Equal(t, []string{"leads.csv"}, imports[2].Files)

	p.open("/console/operator/imports/3")
	p.sees("Companies removed")
	p.check("undo")
	p.press("button", "Undo import 3")
	p.sees("400 companies were removed")
	p.check("undone")
	require.NoError(t, p.SetViewportSize(360, 740))
	for _, page := range []string{"imports", "imports/1", "uploads/new"} {
		p.open("/console/operator/" + page)
		p.check("phone-" + strings.ReplaceAll(page, "/", "-"))
	}
	p.uploads(leads)
	p.sees("Unchanged")
	p.check("phone-plan")

	// Without script the same page sends one form.
	plain, err := b.NewContext(playwright.BrowserNewContextOptions{JavaScriptEnabled: new(false), BaseURL: &v.url})
	require.NoError(t, err)
	cookies, err := p.Context().Cookies()
	require.NoError(t, err)
	var kept []playwright.OptionalCookie
	for _, c := range cookies {
		kept = append(kept, c.ToOptionalCookie())
	}
	require.NoError(t, plain.AddCookies(kept))
	page, err := plain.NewPage()
	require.NoError(t, err)
	_, err = page.Goto("/console/operator/uploads/new")
	require.NoError(t, err)
	require.NoError(t, page.Locator("input[type=file]").SetInputFiles([]string{leads}))
	_, err = page.ExpectEvent("load", func() error { // or the reload would cut off the upload
		return page.GetByRole("button", playwright.PageGetByRoleOptions{Name: "Upload", Exact: new(true)}).Click()
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := page.Reload()
		require.NoError(t, err)
		text, err := page.Locator("main").InnerText()
		return err == nil && strings.Contains(text, "What an import does")
	}, 20*time.Second, 200*time.Millisecond)
	v.stop(t)
}

func (p *person) locate(selector string) playwright.Locator { return p.Locator(selector).First() }

// uploads chooses the files and sends them.
func (p *person) uploads(files ...string) {
	p.t.Helper()
	require.NoError(p.t, p.locate("input[type=file]").SetInputFiles(files))
	p.press("button", "Upload")
}

// dropsBesideTheField drops a file on the page, where a browser would open it by itself.
func (p *person) dropsBesideTheField(name, content string) {
	p.t.Helper()
	kept, err := p.Evaluate(`([name, content]) => {
		const files = new DataTransfer();
		files.items.add(new File([content], name));
		const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
		return !document.querySelector("h1").dispatchEvent(drop) && document.querySelector("input[type=file]").files.length === 1;
	}`, []string{name, content})
	require.NoError(p.t, err)
	require.Equal(p.t, true, kept)
}

// planIsThatOf checks that the plan on the page is what the command prints about the file.
func (p *person) planIsThatOf(t *testing.T, s *fixture, file string) {
	t.Helper()
	shown, expected := importer.Summary{}, importer.Summary{}
	require.NoError(t, json.Unmarshal([]byte(p.fetched(regexp.MustCompile(`/console/operator/uploads/[0-9a-f-]+`).FindString(p.URL())+"/plan")), &shown))
	cmd := s.command("import", filepath.Base(file), "--dry-run", "--json")
	cmd.Dir = filepath.Dir(file)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &expected))
	shown.Took, expected.Took = 0, 0
	require.Equal(t, expected, shown)
}

// fetched returns what the server answers to the person's browser at a path.
func (p *person) fetched(path string) string {
	p.t.Helper()
	text, err := p.Evaluate(`async (path) => (await fetch(path)).text()`, path)
	require.NoError(p.t, err)
	return text.(string)
}

// workbook returns the path of a workbook that is larger than one part of an upload.
func (p *person) workbook(t *testing.T) string {
	t.Helper()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	require.NoError(t, err)
	require.NoError(t, w.SetRow("A1", []any{"Company", "Domain", "Notes"}))
	for i := range 400 {
		cell, err := excelize.CoordinatesToCellName(1, i+2)
		require.NoError(t, err)
		require.NoError(t, w.SetRow(cell, []any{noise(i, 12), noise(i, 12) + ".example", noise(i+1_000_000, 6000)}))
	}
	require.NoError(t, w.Flush())
	path := filepath.Join(t.TempDir(), "book.xlsx")
	require.NoError(t, f.SaveAs(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(1<<20), "more than one part")
	return path
}

// noise returns letters that cannot be compressed well, different for each seed.
func noise(seed, n int) string {
	out := make([]byte, n)
	x := uint64(seed)*2654435761 + 88172645463325252
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = "abcdefghijklmnopqrstuvwxyz"[x%26]
	}
	return string(out)
}

// uploadsInTwo sends the first part of a file, loses the rest, reloads the page, and sends the file again.
func (p *person) uploadsInTwo(file string) {
	p.t.Helper()
	parts := 0
	require.NoError(p.t, p.Route("**/files?*", func(r playwright.Route) {
		parts++
		if parts > 1 {
			require.NoError(p.t, r.Abort("internetdisconnected"))
			return
		}
		require.NoError(p.t, r.Continue())
	}))
	p.OnDialog(func(d playwright.Dialog) { d.Accept() }) //nolint:errcheck // the page may be gone
	p.uploads(file)
	p.sees("The connection is lost")
	sending, err := p.locate("input[type=file]").IsDisabled()
	require.NoError(p.t, err)
	require.True(p.t, sending, "a file that is chosen now would not be sent")
	_, err = p.Reload()
	require.NoError(p.t, err)
	p.sees("have arrived")
	p.check("cut-off")
	var offsets []string
	require.NoError(p.t, p.Unroute("**/files?*"))
	p.OnRequest(func(r playwright.Request) {
		if m := regexp.MustCompile(`offset=(\d+)`).FindStringSubmatch(r.URL()); m != nil {
			offsets = append(offsets, m[1])
		}
	})
	p.uploads(file)
	p.sees("Import 400 companies")
	require.Contains(p.t, offsets, "1024000", "it goes on where it ended")
}

func TestAnImportThatLosesTheDatabaseSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	database := dbtest.BarePostgresURL(t)
	s := newFixtureOf(t, "", 1, "CAPI_DB="+database)
	pool, err := sql.Open("pgx", database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })

	const step = 2_000
	imports := s.command("import", "-")
	input, err := imports.StdinPipe()
	require.NoError(t, err)
	var said bytes.Buffer
	imports.Stderr = &said
	require.NoError(t, imports.Start())
	sent := make(chan int)
	go func() {
		n := 0
		for err := error(nil); err == nil; n += step {
			_, err = io.WriteString(input, companies(n, n+step, nil))
		}
		sent <- n
	}()
	ended := make(chan error)
	go func() { ended <- imports.Wait() }()
	loaded := 0
	for err = nil; err == nil; { // until the import has ended
		select {
		case err = <-ended:
		case <-time.After(time.Millisecond):
			if loaded == 0 {
				require.NoError(t, pool.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM company`).Scan(&loaded))
				continue
			}
			_, err := pool.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			require.NoError(t, err)
		}
	}
	require.Error(t, err)
	require.Regexp(t, `^capi: The database .*\. What was loaded before stays\. Run the same command again to load the rest; nothing is added twice\.\n$`,
		said.String())

	n := <-sent
	s.load(t, companies(0, n, nil))
	var total int
	require.NoError(t, pool.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM company`).Scan(&total))
	require.Equal(t, n, total)
}
