package upload

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
)

const (
	filesMax     = 200 // of an upload
	nameBytesMax = 180
)

// Part is a part of a file that arrives in several requests.
type Part struct {
	Name        string
	SizeBytes   int64 // of the whole file
	Modified    string
	OffsetBytes int64 // where the part begins
}

// Create makes an upload without files, unless it exists.
func (u *Uploads) Create(x id.Upload, by id.Person) error {
	if !u.Enabled() {
		return fault.New(fault.NotFound, "Importing in the console is switched off. Use capi import where the server runs.")
	}
	if err := os.MkdirAll(u.path(x, filesDir), 0o700); err != nil {
		return fmt.Errorf("create upload %s: %w", x, diskFault(err))
	}
	lock, err := waitFor(u.path(x, "change.lock"))
	if err != nil {
		return fmt.Errorf("lock upload %s: %w", x, err)
	}
	defer lock.Close()
	if _, err := u.read(x); fault.CodeOf(err) != fault.NotFound {
		return err
	}
	now := time.Now().UTC()
	return u.write(&Upload{ID: x, By: by, CreatedAt: now, ChangedAt: now, State: StateReceiving})
}

// Add receives a whole file. Its name may change, so that it is one of its own. A file that cannot be read as a table is
// deleted, and File.Refused says why. PayloadTooLarge if the upload would be larger than allowed; the file is then deleted.
func (u *Uploads) Add(x id.Upload, name string, in io.Reader) (File, error) {
	f := File{AddedAt: time.Now().UTC()}
	room := int64(0)
	_, err := u.change(x, func(up *Upload) error {
		if err := up.open(); err != nil {
			return err
		}
		f.Name, room = up.freeName(name), u.SizeBytesMax-up.sizeBytes()
		up.Files = append(up.Files, f)
		return nil
	})
	if err != nil {
		return f, err
	}
	out, err := os.OpenFile(u.path(x, filesDir, f.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return f, errors.Join(fmt.Errorf("receive file: %w", diskFault(err)), u.drop(x, f.Name))
	}
	f.SizeBytes, err = io.Copy(out, io.LimitReader(in, room+1))
	if err = errors.Join(err, out.Close()); err == nil && f.SizeBytes > room {
		err = u.tooLarge()
	}
	if err != nil {
		return f, errors.Join(fmt.Errorf("receive file: %w", diskFault(err)), u.drop(x, f.Name))
	}
	return u.complete(x, f)
}

// Append receives the next part of a file. It returns how many bytes of the file have arrived, of which the next part begins.
// A part that begins elsewhere is not read. A file of the same name that has another size or time begins at 0 again.
func (u *Uploads) Append(x id.Upload, p Part, in io.Reader) (received int64, f File, err error) {
	lock, err := filelock.Try(u.path(x, "receive.lock"))
	if errors.Is(err, filelock.ErrLocked) {
		return 0, f, fault.New(fault.RequestInFlight, "Another request is sending a part of this upload. Try again in a second.")
	}
	if err != nil {
		return 0, f, u.errUnknown()
	}
	defer lock.Close()
	name := cleanName(p.Name)
	up, err := u.change(x, func(up *Upload) error {
		if err := up.open(); err != nil {
			return err
		}
		i := slices.IndexFunc(up.Files, func(f File) bool { return f.Name == name })
		if i >= 0 && up.Files[i].Refused == "" && up.Files[i].SizeBytes == p.SizeBytes && up.Files[i].Modified == p.Modified {
			f = up.Files[i]
			return nil
		}
		if i >= 0 { // another file, or a corrected one
			up.Files = slices.Delete(up.Files, i, i+1)
			if err := os.Remove(u.path(x, filesDir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		if len(up.Files) >= filesMax {
			return errTooMany()
		}
		if p.SizeBytes < 0 || up.sizeBytes()+p.SizeBytes > u.SizeBytesMax {
			return u.tooLarge()
		}
		f = File{Name: name, SizeBytes: p.SizeBytes, Modified: p.Modified, AddedAt: time.Now().UTC()}
		up.Files = append(up.Files, f)
		return nil
	})
	if err != nil || f.Complete {
		return f.SizeBytes, f, err
	}
	out, err := os.OpenFile(u.path(up.ID, filesDir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, f, fmt.Errorf("receive file: %w", diskFault(err))
	}
	defer out.Close()
	received = sizeOf(out.Name())
	if received != p.OffsetBytes {
		return received, f, nil
	}
	n, err := io.Copy(out, io.LimitReader(in, p.SizeBytes-received))
	received += n
	if err = errors.Join(err, out.Close()); err != nil {
		return received, f, fmt.Errorf("receive file: %w", diskFault(err))
	}
	if received == p.SizeBytes {
		f, err = u.complete(x, f)
	}
	return received, f, err
}

// complete records a file that has arrived, and deletes it if it is empty or no table.
func (u *Uploads) complete(x id.Upload, f File) (File, error) {
	f.Complete = true
	if f.SizeBytes == 0 {
		f.Refused = "it is empty; download or save it again where it comes from"
	} else if err := importer.Check(f.Name, importer.Options{Dir: u.path(x, filesDir)}); err != nil {
		f.Refused = err.Error()
	}
	if f.Refused != "" {
		if err := os.Remove(u.path(x, filesDir, f.Name)); err != nil {
			return f, fmt.Errorf("delete refused file: %w", err)
		}
	}
	_, err := u.change(x, func(up *Upload) error {
		i := slices.IndexFunc(up.Files, func(have File) bool { return have.Name == f.Name })
		if i < 0 {
			return u.errUnknown()
		}
		up.Files[i] = f
		return nil
	})
	return f, err
}

// drop removes a file that did not arrive as a whole.
func (u *Uploads) drop(x id.Upload, name string) error {
	_, err := u.change(x, func(up *Upload) error {
		up.Files = slices.DeleteFunc(up.Files, func(f File) bool { return f.Name == name })
		return nil
	})
	if gone := os.Remove(u.path(x, filesDir, name)); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// open returns an error if the upload takes no more files.
func (u *Upload) open() error {
	if u.State != StateReceiving {
		return fault.New(fault.Validation, "The files of this upload are complete. Begin a new import for other files.")
	}
	if len(u.Files) >= filesMax {
		return errTooMany()
	}
	return nil
}

func errTooMany() error {
	return fault.New(fault.Validation, "An import takes at most %d files at once. Put them into one zip archive, or import them in several steps.", filesMax)
}

func (u *Upload) sizeBytes() (n int64) {
	for _, f := range u.Files {
		if f.Refused == "" {
			n += f.SizeBytes
		}
	}
	return n
}

func (u *Uploads) tooLarge() error {
	return fault.New(fault.PayloadTooLarge, "The files are larger than %s together, so they were not kept. Compress them with gzip or zip, "+
		"upload them in several steps, or use capi import where the server runs. The setting upload_max is the limit.", SizeText(u.SizeBytesMax))
}

// SizeText returns a limit as the setting has it, such as 2GiB.
func SizeText(bytes int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= unit.bytes && bytes%unit.bytes == 0 {
			return fmt.Sprintf("%d %s", bytes/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// cleanName returns the name under which a file is kept: the last part of a path, without characters that no screen shows.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "_"), `\`, "/"))
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(`<>:"|?*`, r) && filepath.Separator == '\\' {
			return '_'
		}
		return r
	}, name))
	if stem, ext := splitName(name); len(name) > nameBytesMax {
		ext = ext[:min(len(ext), nameBytesMax/2)]
		name = strings.ToValidUTF8(stem[:nameBytesMax-len(ext)], "") + strings.ToValidUTF8(ext, "")
	}
	if name == "" || name == "." || name == ".." || name == "/" {
		return "file"
	}
	return name
}

// splitName splits a name before its extensions, such as .csv.gz.
func splitName(name string) (stem, ext string) {
	for len(ext) < 12 {
		e := filepath.Ext(name)
		if e == "" || e == name || len(e) > 8 {
			break
		}
		name, ext = strings.TrimSuffix(name, e), e+ext
	}
	return name, ext
}

// freeName returns a clean name that no file of the upload has.
func (u *Upload) freeName(name string) string {
	name = cleanName(name)
	stem, ext := splitName(name)
	for n := 2; slices.ContainsFunc(u.Files, func(f File) bool { return strings.EqualFold(f.Name, name) }); n++ {
		name = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
	return name
}

// diskFault returns a fault that says what to do if the disk is full, else err.
func diskFault(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.New(fault.ServiceUnavailable, "The disk of the data directory is full. Free some space on it, then send the files again.").Because(err)
	}
	return err
}
