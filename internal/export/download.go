package export

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

// Links are the addresses of an export's file and manifest. They need no token and work until ExpiresAt. They are
// absolute, or paths on this server (see blob.Store).
type Links struct {
	File, Manifest string
	ExpiresAt      time.Time
}

// Download returns new links. NotFound for an export of another workspace, ExportNotCompleted while there is no file.
func (x *Exports) Download(ctx context.Context, caller auth.Caller, export id.Export) (Links, error) {
	e, err := x.Get(ctx, caller, export)
	if err != nil {
		return Links{}, err
	}
	if e.Status != StatusCompleted {
		return Links{}, fault.New(fault.ExportNotCompleted, "The export is %s, so there is no file to download.", e.Status).
			With("status", string(e.Status))
	}
	// Whole seconds, as links carry them.
	l := Links{ExpiresAt: time.Now().UTC().Truncate(time.Second).Add(x.options.LinkTTL)}
	l.File, err = x.blobs.SignedURL(ctx, e.key(), blob.Link{
		ExpiresAt: l.ExpiresAt, FileName: e.FileName(), ContentType: format.ContentType(e.Format, e.Options),
	})
	if err == nil {
		l.Manifest, err = x.blobs.SignedURL(ctx, e.manifestKey(), blob.Link{
			ExpiresAt: l.ExpiresAt, FileName: ManifestName(e.FileName()), ContentType: manifestType,
		})
	}
	if err != nil {
		return Links{}, fmt.Errorf("sign links to export %s: %w", export, err)
	}
	return l, nil
}

// key is the file's key in the blob store.
func (e Export) key() string {
	return fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, format.Extension(e.Format, e.Options))
}

// FileName is the name of the downloaded file: export name, day of creation, format and compression, as in us-fintech-50-2026-03-01.csv.
func (e Export) FileName() string {
	return fmt.Sprintf("%s-%s.%s", slug(e.Name), e.CreatedAt.Format(time.DateOnly), format.Extension(e.Format, e.Options))
}

const slugRunesMax = 60

// slug returns the letters and digits of any script in lower case, with "-" between words.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	runes := []rune(strings.Join(words, "-"))
	s := strings.Trim(string(runes[:min(len(runes), slugRunesMax)]), "-")
	if s == "" {
		return "export"
	}
	return s
}
