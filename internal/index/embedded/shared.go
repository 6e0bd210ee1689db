package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/opencapi/capi/internal/index"
)

// sharedSnapshot describes the snapshot that servers have in common: what a server without an index begins from. It names
// its files, and is replaced after the new ones are stored. Its own file is sealed, so that no damaged byte is believed.
//
// Versions: 1; 2 adds the seal.
type sharedSnapshot struct {
	Version   int          `json:"version"`
	Publisher string       `json:"publisher"` // manifest.Index of the server that published it
	At        time.Time    `json:"at"`
	Manifest  manifest     `json:"manifest"` // its Checkpoint is one of sharedIndex
	Files     []sharedFile `json:"files"`
	Pending   []string     `json:"pending,omitempty"` // names of files that are being stored or deleted
}

type sharedFile struct {
	Segment string `json:"segment"`
	Name    string `json:"name"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"` // in hexadecimal
}

const (
	sharedVersion  = 2
	sharedName     = "index/snapshot.json"
	sharedBytesMax = 64 << 20
	sealFormat     = `,"sha256":"%x"}`
	// sharedIndex is the name under which the catalog keeps the checkpoints of shared snapshots.
	sharedIndex = "shared"
	// sharedPatience is how many times longer a server waits before it replaces the snapshot of another one, which may have
	// stopped. Only changed segments are stored again by the server that published the snapshot.
	sharedPatience = 4
	fetchesMax     = 4 // files that are fetched at a time
	seedAttempts   = 3 // a snapshot may be replaced while it is fetched
)

var errSharedDamaged = errors.New("the description of the shared index is damaged: its SHA-256 does not match")

// Publish stores the index in shared, so that other servers can begin from it. It does nothing if the snapshot there was
// published less than every ago, or a few times that if another server did so, or is as new.
func (ix *Index) Publish(ctx context.Context, shared index.Shared, every time.Duration) error {
	if err := ix.Save(ctx); err != nil {
		return err
	}
	p, err := ix.openSaved()
	if err != nil || p == nil {
		return err
	}
	defer p.close()
	if due, err := p.due(ctx, shared, every); err != nil || !due {
		return err
	}
	if err := p.publish(ctx, shared); err != nil {
		return fmt.Errorf("publish index: %w", err)
	}
	return nil
}

// publication is a saved state of the index with its open files, which stay readable when a merge removes them.
type publication struct {
	manifest manifest
	source   Source
	log      *slog.Logger
	files    []*os.File // of the manifest's segments
	old      sharedSnapshot
}

// openSaved returns the state that was saved last; nil if there is none.
func (ix *Index) openSaved() (*publication, error) {
	ix.merging.Lock()
	defer ix.merging.Unlock()
	if ix.disk == nil || ix.lost.Load() || ix.disk.manifest.Checkpoint == "" {
		return nil, nil
	}
	p := &publication{manifest: ix.disk.manifest, source: ix.disk.source, log: ix.options.Log}
	p.manifest.Segments = slices.Clone(p.manifest.Segments)
	for _, e := range p.manifest.Segments {
		f, err := os.Open(filepath.Join(ix.disk.dir, e.Name))
		if err != nil {
			p.close()
			return nil, fmt.Errorf("publish index: %w", err)
		}
		p.files = append(p.files, f)
	}
	return p, nil
}

func (p *publication) close() {
	for _, f := range p.files {
		f.Close()
	}
}

// due reads the snapshot that is shared now and reports whether this one should replace it. An index that the catalog does
// not know any more is never shared.
func (p *publication) due(ctx context.Context, shared index.Shared, every time.Duration) (bool, error) {
	old, err := readShared(ctx, shared)
	if errors.Is(err, errSharedDamaged) {
		p.log.WarnContext(ctx, "the shared index will be replaced", "error", err)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	p.old = old
	known, err := p.source.HasCheckpoint(ctx, p.manifest.Index, p.manifest.Checkpoint)
	if err != nil || !known {
		return false, err
	}
	usable, err := old.usable(ctx, p.source)
	if err != nil || !usable {
		return true, err
	}
	if old.Publisher != p.manifest.Index {
		every *= sharedPatience
	}
	return old.Manifest.Seq < p.manifest.Seq && time.Since(old.At) >= every, nil
}

// publish claims the next snapshot by its checkpoint, stores the segments that are not there yet, and then names them. A
// server that claims later wins.
func (p *publication) publish(ctx context.Context, shared index.Shared) error {
	keep := p.old.Manifest.Checkpoint
	if known, err := p.source.HasCheckpoint(ctx, sharedIndex, keep); err != nil {
		return err
	} else if !known {
		keep = ""
	}
	next := sharedSnapshot{Version: sharedVersion, Publisher: p.manifest.Index, At: time.Now().UTC(), Manifest: p.manifest}
	next.Manifest.Checkpoint = uuid.NewString()
	if err := p.source.SaveCheckpoint(ctx, sharedIndex, next.Manifest.Checkpoint, keep, p.manifest.Seq); err != nil {
		return err
	}
	begun := p.old
	for _, e := range p.manifest.Segments {
		begun.Pending = append(begun.Pending, p.nameOf(e))
	}
	if err := begun.write(ctx, shared); err != nil {
		return err
	}
	for i, e := range p.manifest.Segments {
		f, err := p.store(ctx, shared, p.files[i], e)
		if err != nil {
			return err
		}
		next.Files = append(next.Files, f)
	}
	if won, err := p.source.HasCheckpoint(ctx, sharedIndex, next.Manifest.Checkpoint); err != nil || !won {
		return err // the files are pending, so the next publication deletes them
	}
	current, err := readShared(ctx, shared)
	if err != nil {
		return err
	}
	if next.Pending = current.unlike(next); len(next.Pending) == 0 {
		return next.write(ctx, shared)
	}
	if err := next.write(ctx, shared); err != nil {
		return err
	}
	for _, name := range next.Pending {
		if err := shared.Delete(ctx, name); err != nil {
			return err // the next publication tries again
		}
	}
	next.Pending = nil
	return next.write(ctx, shared)
}

// nameOf returns the name of a segment among the shared files. Its content never changes.
func (p *publication) nameOf(e manifestEntry) string {
	return "index/" + p.manifest.Index + "/" + e.Name
}

// store stores a segment, unless the snapshot that is shared now has it.
func (p *publication) store(ctx context.Context, shared index.Shared, file *os.File, e manifestEntry) (sharedFile, error) {
	name := p.nameOf(e)
	if i := slices.IndexFunc(p.old.Files, func(f sharedFile) bool { return f.Name == name }); i >= 0 {
		return p.old.Files[i], nil
	}
	var size int64
	hash := sha256.New()
	err := shared.Put(ctx, name, func(w io.Writer) (err error) {
		hash.Reset()
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		size, err = io.Copy(io.MultiWriter(w, hash), file)
		return err
	})
	return sharedFile{Segment: e.Name, Name: name, Bytes: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

// readShared reads the shared snapshot. The error is fs.ErrNotExist if there is none, and errSharedDamaged if it is damaged.
// One that is damaged, or that this version cannot read, is returned without its content: the names that are in it are
// pending, so that its files are deleted when it is replaced.
func readShared(ctx context.Context, shared index.Shared) (s sharedSnapshot, err error) {
	r, err := shared.Open(ctx, sharedName)
	if err != nil {
		return s, fmt.Errorf("read shared index: %w", err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, sharedBytesMax))
	if err != nil {
		return s, fmt.Errorf("read shared index: %w", err)
	}
	err = json.Unmarshal(content, &s)
	unread := sharedSnapshot{Pending: sharedNames.FindAllString(string(content), -1)}
	switch {
	case !isSealed(content) && (err != nil || s.Version != 1):
		return unread, errSharedDamaged
	case err != nil || s.Version != sharedVersion || s.Manifest.Version != manifestVersion || s.Manifest.Format != formatVersion:
		return unread, nil
	}
	return s, nil
}

// sharedNames matches what nameOf returns.
var sharedNames = regexp.MustCompile(`index/[0-9a-f-]{36}/[0-9a-f]{8,16}\.seg`)

// sealJSON adds the SHA-256 of a JSON object's bytes as its last member, where servers of version 1 ignore it.
func sealJSON(object []byte) []byte {
	body := bytes.TrimSuffix(object, []byte("}"))
	return fmt.Appendf(slices.Clip(body), sealFormat, sha256.Sum256(body))
}

// isSealed reports whether the bytes are exactly what sealJSON returned.
func isSealed(content []byte) bool {
	end := len(content) - len(fmt.Sprintf(sealFormat, [sha256.Size]byte{}))
	return end >= 0 && bytes.Equal(content, sealJSON(content[:end]))
}

func (s sharedSnapshot) write(ctx context.Context, shared index.Shared) error {
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	content = sealJSON(content)
	return shared.Put(ctx, sharedName, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(content))
		return err
	})
}

// usable reports whether the catalog shares the snapshot's history.
func (s sharedSnapshot) usable(ctx context.Context, source Source) (bool, error) {
	origin, seq, err := source.Origin(ctx)
	if err != nil || s.Version == 0 || s.Manifest.Catalog != origin || s.Manifest.Seq > seq {
		return false, err
	}
	return source.HasCheckpoint(ctx, sharedIndex, s.Manifest.Checkpoint)
}

// unlike returns the names of the files of s that next does not have.
func (s sharedSnapshot) unlike(next sharedSnapshot) []string {
	names := slices.Clone(s.Pending)
	for _, f := range s.Files {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return slices.ContainsFunc(next.Files, func(f sharedFile) bool { return f.Name == name })
	})
}

// Seed fetches the shared snapshot into a directory that has no index. It reports whether it did. If the snapshot cannot be
// fetched or does not belong to the catalog, that is logged, and the directory stays without an index.
func (ix *Index) Seed(ctx context.Context, dir string, source Source, shared index.Shared) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for attempt := 1; ; attempt++ {
		s, err := readShared(ctx, shared)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		usable := false
		if err == nil {
			usable, err = s.usable(ctx, source)
		}
		if err == nil && !usable {
			ix.options.Log.InfoContext(ctx, "the shared index does not fit the catalog; the index will be built")
			return false, nil
		}
		if err == nil {
			err = s.fetch(ctx, dir, source, shared)
		}
		if err == nil {
			return true, nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if attempt == seedAttempts || !errors.Is(err, fs.ErrNotExist) {
			ix.options.Log.WarnContext(ctx, "the shared index cannot be fetched; the index will be built", "error", err)
			return false, nil
		}
	}
}

// fetch fetches the files, and makes them an index of its own with a checkpoint of its own. Attach removes what a failed
// fetch leaves.
func (s sharedSnapshot) fetch(ctx context.Context, dir string, source Source, shared index.Shared) error {
	m := s.Manifest
	m.Index, m.Checkpoint = uuid.NewString(), uuid.NewString()
	// First, while it is certain that the catalog shares the snapshot's history. Attach checks that it still does.
	if err := source.SaveCheckpoint(ctx, m.Index, m.Checkpoint, "", m.Seq); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files := make([]sharedFile, len(m.Segments))
	for i, e := range m.Segments {
		n := slices.IndexFunc(s.Files, func(f sharedFile) bool { return f.Segment == e.Name })
		if n < 0 || filepath.Base(e.Name) != e.Name || filepath.Ext(e.Name) != segmentSuffix {
			return fmt.Errorf("segment %q has no file", e.Name)
		}
		files[i] = s.Files[n]
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetchesMax)
	for _, f := range files {
		group.Go(func() error { return f.fetch(ctx, filepath.Join(dir, f.Segment), shared) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	return m.write(dir)
}

// fetch writes the file to the path, if it is the one that was stored.
func (f sharedFile) fetch(ctx context.Context, path string, shared index.Shared) error {
	r, err := shared.Open(ctx, f.Name)
	if err != nil {
		return err
	}
	defer r.Close()
	to, err := os.OpenFile(path+tmpSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, hash), r)
	if err == nil {
		err = to.Sync()
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("fetch %s: %w", f.Name, err)
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != f.SHA256 {
		return fmt.Errorf("fetch %s: the file is damaged: its SHA-256 is %s, not %s", f.Name, sum, f.SHA256)
	}
	return os.Rename(path+tmpSuffix, path)
}
