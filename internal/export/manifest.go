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
	Transaction   *id.Entry       `json:"transaction_id"`       // the ledger entry of the charge; null if nothing was charged
	CreatedAt     time.Time       `json:"created_at"`           // of the export
	RowsAsOf      *time.Time      `json:"rows_as_of,omitempty"` // when the rows were read; missing if they are as of created_at
	Name          string          `json:"name"`
	Source        Source          `json:"source_type"`
	Filters       json.RawMessage `json:"search_filters"` // as the client gave them; null for a list
	Sort          string          `json:"sort,omitempty"`
	List          *id.List        `json:"list_id"`            // null for a search
	Order         *id.Order       `json:"order_id,omitempty"` // the standing order that bought it; missing without one
	Deliver       string          `json:"deliver,omitempty"`  // what the order delivers of its source: added, changed, left or all
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

	signatureBytesMax = 64 << 10
	signatureSuffix   = ".jws"
	signatureType     = "application/jose"
)

// ManifestName returns the name of the manifest of a file.
func ManifestName(file string) string { return file + manifestSuffix }

// SignatureName returns the name of the signature of a file.
func SignatureName(file string) string { return file + signatureSuffix }

func (e Export) manifestKey() string { return ManifestName(e.key()) }

func (e Export) signatureKey() string { return SignatureName(e.manifestKey()) }

// manifest returns the manifest of the export's file with this number of rows.
func (e Export) manifest(rows int, info blob.Info) Manifest {
	return Manifest{
		Version: manifestVersion, Export: e.ID, Workspace: e.Workspace, Transaction: known(e.Figures.TransactionID),
		CreatedAt: e.CreatedAt.UTC(), RowsAsOf: e.RowsAsOf, Name: e.Name, Source: e.Source, Filters: e.Filters, Sort: e.Sort,
		List: known(e.List), Order: known(e.Terms.Order), Deliver: e.Terms.Deliver, FileName: e.FileName(), Format: e.Format, Options: e.Options,
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

// describe stores the manifest and its signature next to the file. It must be called before the export is completed.
func (x *Exports) describe(ctx context.Context, e Export, rows int, info blob.Info) error {
	content, err := e.manifest(rows, info).encode()
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return x.storeManifest(ctx, e, content)
}

// storeManifest stores the signature first: where there is a manifest, everything else is there too.
func (x *Exports) storeManifest(ctx context.Context, e Export, content []byte) error {
	if x.sign.Enabled() {
		signature, err := x.sign.Sign(ctx, content)
		if err != nil {
			return err
		}
		if err := x.put(ctx, e.signatureKey(), []byte(signature)); err != nil {
			return err
		}
	}
	return x.put(ctx, e.manifestKey(), content)
}

func (x *Exports) put(ctx context.Context, key string, content []byte) error {
	_, err := x.blobs.Put(ctx, key, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	return err
}

// keepSignature makes sure that the manifest of a completed export has a signature that can be verified. An export of an earlier version
// has none, and the key of another one may be revoked or lost. What is signed comes from the database, not from the stored manifest.
func (x *Exports) keepSignature(ctx context.Context, e Export) error {
	if !x.sign.Enabled() {
		return nil
	}
	keys, err := x.sign.Published(ctx)
	if err != nil {
		return err
	}
	stored, err := x.small(ctx, e.manifestKey(), manifestBytesMax)
	if err != nil {
		return err
	}
	signature, err := x.small(ctx, e.signatureKey(), signatureBytesMax)
	if err != nil {
		return err
	}
	if _, err := keys.Verify(stored, string(signature)); err == nil {
		return nil
	}
	m, err := x.promised(ctx, e)
	if err != nil {
		return err
	}
	content, err := m.encode()
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return x.storeManifest(ctx, e, content)
}

// promised returns the manifest as the database alone defines it.
func (x *Exports) promised(ctx context.Context, e Export) (Manifest, error) {
	var selectionBytes int
	const q = `SELECT COALESCE(SUM(length(companies)), 0) FROM export_selection WHERE export_id = $1`
	if err := x.db.Read().QueryRowContext(ctx, q, e.ID).Scan(&selectionBytes); err != nil {
		return Manifest{}, err
	}
	return e.manifest(selectionBytes/4, blob.Info{SizeBytes: e.SizeBytes, SHA256: e.SHA256}), nil
}

// small reads a file of up to bytesMax bytes, or one byte more of a longer one. It returns nil if there is none.
func (x *Exports) small(ctx context.Context, key string, bytesMax int64) ([]byte, error) {
	r, err := x.blobs.Open(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, bytesMax+1))
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
