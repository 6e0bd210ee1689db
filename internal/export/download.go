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
	"github.com/opencapi/capi/internal/id"
)

// Links lead to an export's file and its manifest without a token until they expire. They are absolute, or paths of
// this server (see blob.Store).
type Links struct {
	File, Manifest string
	ExpiresAt      time.Time
}

// Download is fresh links. NotFound for an export of another workspace, ExportNotCompleted while there is no file.
func (x *Exports) Download(ctx context.Context, caller auth.Caller, export id.Export) (Links, error) {
	e, err := x.Get(ctx, caller, export)
	if err != nil {
		return Links{}, err
	}
	if e.Status != StatusCompleted {
		return Links{}, fault.New(fault.ExportNotCompleted, "The export is %s; there is no file to download.", e.Status).
			With("status", string(e.Status))
	}
	// Whole seconds, as links carry them.
	l := Links{ExpiresAt: time.Now().UTC().Truncate(time.Second).Add(x.options.LinkTTL)}
	l.File, err = x.blobs.SignedURL(ctx, e.key(), blob.Link{
		ExpiresAt: l.ExpiresAt, FileName: e.FileName(), ContentType: e.Format.ContentType(),
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

// key is where the file lies in the blob store.
func (e Export) key() string {
	return fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, e.Format.Extension())
}

// FileName is what people see: the name in words, the day of creation, the format, as us-fintech-50-2026-03-01.csv.
func (e Export) FileName() string {
	return fmt.Sprintf("%s-%s.%s", slug(e.Name), e.CreatedAt.Format(time.DateOnly), e.Format.Extension())
}

const slugRunesMax = 60

// slug keeps the letters and digits of every script, in lower case, and puts "-" for what stands between them.
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
