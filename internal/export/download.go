package export

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

// Links are the addresses of an export's file, its manifest and the signature of the manifest. They need no token and work until ExpiresAt. They are
// absolute, or paths on this server (see blob.Store).
type Links struct {
	File, Manifest string
	Signature      string // empty if manifests are not signed
	ExpiresAt      time.Time
	RowsAsOf       *time.Time // as in Export
}

// Download returns new links. A file that PruneFiles has deleted is written again first.
// NotFound for an export of another workspace, ExportNotCompleted if the export is not completed.
func (x *Exports) Download(ctx context.Context, caller auth.Caller, export id.Export) (Links, error) {
	e, err := x.Get(ctx, caller, export)
	if err != nil {
		return Links{}, err
	}
	if e.Status != StatusCompleted {
		return Links{}, fault.New(fault.ExportNotCompleted, "The export is %s, so there is no file to download.", e.Status).
			With("status", string(e.Status))
	}
	if e, err = x.keepFile(ctx, e); err != nil {
		return Links{}, err
	}
	if err := x.keepSignature(ctx, e); err != nil {
		return Links{}, fmt.Errorf("sign manifest of export %s: %w", export, err)
	}
	// Whole seconds, as links carry them.
	l := Links{ExpiresAt: time.Now().UTC().Truncate(time.Second).Add(x.options.LinkTTL), RowsAsOf: e.RowsAsOf}
	l.File, err = x.blobs.SignedURL(ctx, e.key(), blob.Link{
		ExpiresAt: l.ExpiresAt, FileName: e.FileName(), ContentType: format.ContentType(e.Format, e.Options),
	})
	if err == nil {
		l.Manifest, err = x.blobs.SignedURL(ctx, e.manifestKey(), blob.Link{
			ExpiresAt: l.ExpiresAt, FileName: ManifestName(e.FileName()), ContentType: manifestType,
		})
	}
	if err == nil && x.sign.Enabled() {
		l.Signature, err = x.blobs.SignedURL(ctx, e.signatureKey(), blob.Link{
			ExpiresAt: l.ExpiresAt, FileName: SignatureName(ManifestName(e.FileName())), ContentType: signatureType,
		})
	}
	if err != nil {
		return Links{}, fmt.Errorf("sign links to export %s: %w", export, err)
	}
	return l, nil
}

// key is the file's key in the blob store. A file that is written again has another key, so that whatever deletes the
// earlier one cannot delete it.
func (e Export) key() string {
	name := e.ID.String()
	if e.revision > 0 {
		name += "-" + strconv.FormatInt(e.revision, 10)
	}
	return fmt.Sprintf("exports/%s/%s.%s", e.Workspace, name, format.Extension(e.Format, e.Options))
}

// FileName is the name of the downloaded file: export name, day of creation, format and compression, as in us-fintech-50-2026-03-01.csv.
func (e Export) FileName() string {
	return fmt.Sprintf("%s-%s.%s", slug(e.Name), e.CreatedAt.Format(time.DateOnly), format.Extension(e.Format, e.Options))
}

const (
	slugRunesMax = 60
	slugBytesMax = 150 // most file systems take names of 255 bytes, and a delivery adds an id, a date and suffixes
)

// slug returns the letters and digits of any script in lower case, with "-" between words.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	runes := []rune(strings.Join(words, "-"))
	runes = runes[:min(len(runes), slugRunesMax)]
	for len(string(runes)) > slugBytesMax {
		runes = runes[:len(runes)-1]
	}
	s := strings.Trim(string(runes), "-")
	if s == "" {
		return "export"
	}
	return s
}
