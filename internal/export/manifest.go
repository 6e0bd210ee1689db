package export

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

// Manifest describes an export's file to someone who has only the file. It is stored next to the file and depends on the
// export alone, so a second run writes the same bytes.
type Manifest struct {
	Version       int             `json:"manifest_version"`
	Export        id.Export       `json:"export_id"`
	Workspace     id.Workspace    `json:"workspace_id"`
	Transaction   *id.Entry       `json:"transaction_id"` // the ledger entry of the charge; null if nothing was charged
	CreatedAt     time.Time       `json:"created_at"`     // of the export: its rows are as of then
	Name          string          `json:"name"`
	Source        Source          `json:"source_type"`
	Filters       json.RawMessage `json:"search_filters"` // as the client gave them; null for a list
	Sort          string          `json:"sort,omitempty"`
	List          *id.List        `json:"list_id"` // null for a search
	FileName      string          `json:"file_name"`
	Format        format.Format   `json:"export_format"`
	Options       format.Options  `json:"options"`
	SchemaVersion int             `json:"schema_version"` // of the columns
	Columns       []string        `json:"columns"`
	Rows          int             `json:"rows"`
	SizeBytes     int64           `json:"size_bytes"`
	SHA256        string          `json:"sha256"` // in hexadecimal
}

const (
	// manifestVersion grows when readers must know something new. Version 1 has the fields above.
	manifestVersion = 1
	// manifestBytesMax is far more than the filters of a request can need.
	manifestBytesMax = 16 << 20
	manifestSuffix   = ".manifest.json"
	manifestType     = "application/json"
)

// ManifestName returns the name of the manifest of a file.
func ManifestName(file string) string { return file + manifestSuffix }

func (e Export) manifestKey() string { return ManifestName(e.key()) }

// manifest returns the manifest of the export's file with this number of rows.
func (e Export) manifest(rows int, info blob.Info) Manifest {
	return Manifest{
		Version: manifestVersion, Export: e.ID, Workspace: e.Workspace, Transaction: known(e.Figures.TransactionID),
		CreatedAt: e.CreatedAt.UTC(), Name: e.Name, Source: e.Source, Filters: e.Filters, Sort: e.Sort,
		List: known(e.List), FileName: e.FileName(), Format: e.Format, Options: e.Options,
		SchemaVersion: format.SchemaVersion, Columns: format.Columns(e.Format, e.Options), Rows: rows,
		SizeBytes: info.SizeBytes, SHA256: hex.EncodeToString(info.SHA256[:]),
	}
}

func known[K any](i id.ID[K]) *id.ID[K] {
	if i.IsZero() {
		return nil
	}
	return &i
}

// describe stores the manifest next to the file. It must be called before the export is completed.
func (x *Exports) describe(ctx context.Context, e Export, rows int, info blob.Info) error {
	content, err := e.manifest(rows, info).encode()
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	_, err = x.blobs.Put(ctx, e.manifestKey(), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	return err
}

func (m Manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(m)
	return b.Bytes(), err
}

// ParseManifest reads a manifest. A newer version is an error, because its fields may mean something else.
func ParseManifest(r io.Reader) (Manifest, error) {
	var m Manifest
	content, err := io.ReadAll(io.LimitReader(r, manifestBytesMax+1))
	if err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	if len(content) > manifestBytesMax {
		return m, errors.New("the manifest is longer than 16 MiB")
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, fmt.Errorf("not a manifest: %w", err)
	}
	switch {
	case m.Version < 1:
		return m, errors.New("not a manifest: manifest_version is missing")
	case m.Version > manifestVersion:
		return m, fmt.Errorf("the manifest has version %d, but this program reads versions up to %d", m.Version, manifestVersion)
	case m.SHA256 == "" || !m.Format.Known():
		return m, errors.New("the manifest is incomplete: it needs sha256 and a known export_format")
	case len(m.Options.Fitting(m.Format)) > 0:
		return m, fmt.Errorf("the manifest's options do not fit its format: %w", fault.Invalid(m.Options.Fitting(m.Format)...))
	}
	return m, nil
}

// differences returns the names of the fields in which a manifest differs from m, sorted. A missing field equals null.
func (m Manifest) differences(content []byte) []string {
	own, err := m.encode()
	if err != nil {
		return []string{"content"}
	}
	want, got := fieldsOf(own), fieldsOf(content)
	names := maps.Clone(want)
	maps.Copy(names, got)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool {
		return cmp.Or(want[name], "null") == cmp.Or(got[name], "null")
	})
}

// fieldsOf returns the members of a JSON object, each compacted; nil if the content is not an object.
func fieldsOf(content []byte) map[string]string {
	var raw map[string]json.RawMessage
	if json.Unmarshal(content, &raw) != nil {
		return nil
	}
	fields := make(map[string]string, len(raw))
	for name, value := range raw {
		var b bytes.Buffer
		if json.Compact(&b, value) == nil {
			fields[name] = b.String()
		}
	}
	return fields
}
