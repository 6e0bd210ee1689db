package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/opencapi/capi/internal/export"
)

type verifyCommand struct {
	File     string `arg:"" help:"A file of an export."`
	Manifest string `name:"manifest" placeholder:"FILE" help:"Its manifest (default: the file's name followed by .manifest.json)."`
	jsonFlag
}

// Help is shown below the summary.
func (verifyCommand) Help() string {
	return `It reads the whole file and checks its size, SHA-256, rows and columns. It needs no server and no data directory. To get
the manifest, download the manifest_url that POST /exports/{id}/download returns. The exit status is 1 if the file
differs from its manifest or cannot be checked.

Examples:

    capi verify us-fintech-50-2026-03-01.csv
    capi verify companies.csv --manifest us-fintech-50-2026-03-01.csv.manifest.json`
}

// verified is what verify prints as JSON.
type verified struct {
	OK       bool            `json:"ok"`
	File     string          `json:"file"`
	Manifest export.Manifest `json:"manifest"`
	Checks   []export.Check  `json:"checks"`
}

// Run checks the file and prints the results.
func (c *verifyCommand) Run(s *session) error {
	f, err := os.Open(c.File)
	if err != nil {
		return readable(c.File, err)
	}
	defer f.Close()
	m, err := c.manifest()
	if err != nil {
		return err
	}
	checks, err := m.Verify(f)
	if err != nil {
		return readable(c.File, err)
	}
	ok := !slices.ContainsFunc(checks, func(k export.Check) bool { return !k.OK })
	if c.JSON {
		if err := s.printJSON(verified{ok, c.File, m, checks}); err != nil {
			return err
		}
	} else {
		s.printVerified(c.File, m, checks, ok)
	}
	if !ok {
		return errFindings
	}
	return nil
}

func (c *verifyCommand) manifest() (export.Manifest, error) {
	path := c.Manifest
	if path == "" {
		path = export.ManifestName(c.File)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && c.Manifest == "" {
		return export.Manifest{}, fmt.Errorf("there is no manifest %s; name it with --manifest. "+
			"To get it, download the manifest_url that POST /exports/{id}/download returns", path)
	}
	if err != nil {
		return export.Manifest{}, readable(path, err)
	}
	defer f.Close()
	m, err := export.ParseManifest(f)
	if err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// readable returns a readable form of a file's error.
func readable(path string, err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", path)
	case errors.As(err, &p):
		return fmt.Errorf("%s: %w", path, p.Err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (s *session) printVerified(file string, m export.Manifest, checks []export.Check, ok bool) {
	for _, k := range checks {
		switch {
		case !k.OK:
			s.printf("FAIL  %-8s  %s\n", k.Name, k.Problem())
		case k.Name == "columns":
			s.printf("ok    %-8s  %s\n", k.Name, count(len(m.Columns)))
		default:
			s.printf("ok    %-8s  %s\n", k.Name, k.Found)
		}
	}
	if ok {
		s.printf("\n%s is intact: export %s, %q, created %s UTC.\n", file, m.Export, m.Name, timestamp(m.CreatedAt))
		return
	}
	s.printf("\n%s differs from the file of export %s. Download it again.\n", file, m.Export)
}
