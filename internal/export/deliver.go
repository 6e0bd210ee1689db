package export

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
)

// File is one of the files of a completed export, as it is delivered.
type File struct {
	Suffix      string // of its name, after Export.DeliveredName; empty for the file itself
	ContentType string
	SHA256      [sha256.Size]byte // zero if it is not recorded
	Open        func(context.Context) (io.ReadCloser, error)
}

// Files returns a completed export and its files in the order in which they are delivered, the manifest last. A file that PruneFiles
// has deleted is written again first. NotFound, ExportNotCompleted if the export is not completed.
func (x *Exports) Files(ctx context.Context, export id.Export) (Export, []File, error) {
	e, err := one(ctx, x.db.Read(), id.Workspace{}, export)
	if err != nil {
		return Export{}, nil, err
	}
	if e.Status != StatusCompleted {
		return Export{}, nil, fault.New(fault.ExportNotCompleted, "The export is %s, so there is no file.", e.Status)
	}
	if e, err = x.keepFile(ctx, e); err != nil {
		return Export{}, nil, err
	}
	open := func(key string) func(context.Context) (io.ReadCloser, error) {
		return func(ctx context.Context) (io.ReadCloser, error) { return x.blobs.Open(ctx, key) }
	}
	files := []File{{"", format.ContentType(e.Format, e.Options), e.SHA256, open(e.key())}}
	if x.sign.Enabled() {
		if err := x.keepSignature(ctx, e); err != nil {
			return Export{}, nil, fmt.Errorf("sign manifest of export %s: %w", export, err)
		}
		files = append(files, File{SignatureName(manifestSuffix), signatureType, [sha256.Size]byte{}, open(e.signatureKey())})
	}
	return e, append(files, File{manifestSuffix, manifestType, [sha256.Size]byte{}, open(e.manifestKey())}), nil
}

// DeliveredName is the name of the file at a destination: that of a download, with the export's id unless unique is false, so that
// exports of the same name and day do not replace each other.
func (e Export) DeliveredName(unique bool) string {
	if !unique {
		return e.FileName()
	}
	return fmt.Sprintf("%s-%s-%s.%s", slug(e.Name), e.CreatedAt.Format(time.DateOnly), e.ID, format.Extension(e.Format, e.Options))
}

// OrderSlug is the name that the export's standing order had when it made the export, as a part of a path of at most 150 bytes; empty
// without an order.
func (e Export) OrderSlug() string {
	if e.Terms.Order.IsZero() {
		return ""
	}
	return slug(e.Name)
}

// BesideName is the name that a file which belongs to a delivered one, such as its manifest, has at a destination. Programs that read a
// folder of data skip names that begin with _.
func BesideName(name string) string { return "_" + name }
