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
	File     string `arg:"" help:"The file of an export."`
	Manifest string `name:"manifest" placeholder:"FILE" help:"Its manifest (default: the file's name with .manifest.json behind it)."`
	jsonFlag
}

// Help is shown below the summary.
func (verifyCommand) Help() string {
	return `It reads the whole file and checks its size, its SHA-256, its rows and its columns. It needs no server and no data
directory. POST /exports/{id}/download answers with manifest_url, which is where the manifest comes from. The exit
status is 1 if the file is not what the manifest says, or cannot be checked.

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

// Run checks the file and prints how it went.
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
			"POST /exports/{id}/download answers with manifest_url, which is where it comes from", path)
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

// readable is a file's error as people read it.
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
		s.printf("\n%s is whole: export %s, %q, of %s UTC.\n", file, m.Export, m.Name, moment(m.CreatedAt))
		return
	}
	s.printf("\n%s is not the file of export %s as it was delivered. Download it again.\n", file, m.Export)
}
