package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/backup"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/blob/s3"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/postgres"
	"github.com/opencapi/capi/internal/db/sqlite"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/index/opensearch"
	"github.com/opencapi/capi/internal/installation"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/notify"
	"github.com/opencapi/capi/internal/upload"
	"github.com/opencapi/capi/internal/webhook"
)

// This is the only file of the program that names concrete back ends.

// Directories within the data directory.
const (
	filesDir   = "files"
	indexDir   = "index"
	uploadsDir = "uploads"

	// RejectsDir has the rejected rows of imports.
	RejectsDir = "rejects"
)

// serversDir returns the directory in which the servers of a data directory register themselves for capi doctor.
func serversDir(data string) string { return filepath.Join(data, "servers") }

// backupLayout returns what a data directory consists of.
func backupLayout(c config.Config) backup.Layout {
	l := backup.Layout{Files: filesDir, Skip: file.Unfinished, Index: indexDir}
	if c.KeyFile == "" {
		l.Key = filepath.Base(c.KeyPath())
	}
	if c.Postgres() == "" {
		l.Database = filepath.Base(c.SQLiteFile())
	}
	return l
}

// Backup copies the data directory to another one, also while a server uses it. A PostgreSQL database is not copied.
func Backup(ctx context.Context, c config.Config, version, to string) (backup.Manifest, error) {
	if err := checkExisting(c); err != nil {
		return backup.Manifest{}, err
	}
	return backup.Create(ctx, backup.Source{
		Dir: c.Data, Layout: backupLayout(c), Version: version,
		Snapshot: func(ctx context.Context, to string) error { return sqlite.Snapshot(ctx, c.SQLiteFile(), to) },
	}, to)
}

// Restore replaces the data directory by a backup. The error names the server that uses the directory, if there is one.
func Restore(ctx context.Context, c config.Config, from string) (backup.Restored, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return backup.Restored{}, fmt.Errorf("create data directory: %w", err)
	}
	lock, err := lockData(c.Data)
	if err != nil {
		return backup.Restored{}, err
	}
	defer lock.Close()
	return backup.Restore(ctx, from, backup.Target{Dir: c.Data, Layout: backupLayout(c), Check: sqlite.Check})
}

// Open opens the data directory and the database, creates them if necessary, and migrates the schema. It may be called
// while a server uses them.
func Open(ctx context.Context, c config.Config, log *slog.Logger) (*App, error) {
	if err := backup.Unfinished(c.Data); err != nil {
		return nil, err
	}
	files, key, err := openFiles(ctx, c.Storage)
	if err != nil {
		return nil, err
	}
	killed := c.Postgres() == "" && sqlite.HasLog(c.SQLiteFile())
	d, err := openDB(ctx, c.Storage)
	if err != nil {
		return nil, err
	}
	if err := installation.NewKeys(d).Check(ctx, key); err != nil {
		return nil, errors.Join(explainKey(c.Storage, err), d.Close())
	}
	ix, err := openIndex(ctx, c, catalog.New(d), log)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	a := Build(c, services.Parts{
		DB: d, Mail: mailClient(c.Mail), Blobs: files, Index: ix, Log: log, Key: key,
		// On SQLite the lock of the data directory guarantees that there is only one job runner.
		Jobs:     job.Options{Workers: c.Workers, Alone: c.Postgres() == ""},
		Exports:  export.Options{FilesKept: c.FilesKept(), RecordsKept: c.RecordsKept()},
		Webhooks: webhook.Options{Allow: c.WebhookRanges()}, Destinations: destination.Options{Allow: c.DestinationRanges()},
		Uploads: upload.Options{
			Dir: filepath.Join(c.Data, uploadsDir), Rejects: filepath.Join(c.Data, RejectsDir), SizeBytesMax: c.UploadBytesMax(),
			SeveralServers: c.Postgres() != "",
		},
	})
	if killed {
		a.examine = func(ctx context.Context) error { return sqlite.QuickCheck(ctx, d) }
	}
	if err := upgradeKeys(ctx, a, log); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// explainKey says what to do about another key than the database's.
func explainKey(c config.Storage, err error) error {
	if !errors.Is(err, installation.ErrOtherKey) {
		return err
	}
	return fmt.Errorf("%s: %w; put back the file that the other servers have, or that capi backup has kept, or name it with --key-file. "+
		"If it is lost, run capi key accept: links that were handed out stop working, and people with two-factor sign-in need a recovery code",
		c.KeyPath(), err)
}

// AcceptKey makes the key of this server the one that all servers of its database must have. It reports whether it was another one.
func AcceptKey(ctx context.Context, c config.Config) (changed bool, err error) {
	if err := checkExisting(c); err != nil {
		return false, err
	}
	_, key, err := openFiles(ctx, c.Storage)
	if err != nil {
		return false, err
	}
	d, err := openDB(ctx, c.Storage)
	if err != nil {
		return false, err
	}
	changed, err = installation.NewKeys(d).Accept(ctx, key)
	return changed, errors.Join(err, d.Close())
}

// mailClient returns the client of the mail server; nil if none is configured.
func mailClient(c config.Mail) *mail.Client {
	if c.SMTPHost == "" {
		return nil
	}
	password, err := c.Password()
	if err != nil {
		panic(err) // Validate has read it
	}
	return mail.New(mail.Options{
		Host: c.SMTPHost, Port: c.SMTPPort, User: c.SMTPUser, Password: password, From: c.SMTPFrom, TLS: mail.TLS(c.SMTPTLS),
	})
}

// TestMail sends a test message at once.
func TestMail(ctx context.Context, c config.Mail, to string) error {
	return notify.New(notify.Deps{Mail: mailClient(c)}).Test(ctx, to)
}

// upgradeKeys computes the match keys of the companies again if an older version stored them, and reports those that have become
// likely duplicates.
func upgradeKeys(ctx context.Context, a *App, log *slog.Logger) error {
	changed, err := a.Catalog.UpgradeKeys(ctx)
	if err != nil || changed == 0 {
		return err
	}
	duplicates := 0
	err = a.Catalog.Duplicates(ctx, func(catalog.Duplicate) error {
		duplicates++
		return nil
	})
	log.Info("match keys computed again, because punctuation and spaces make no other name; capi import duplicates lists the likely duplicates, which are not merged",
		"companies", changed, "duplicates", duplicates)
	return err
}

// OpenExisting is like Open, but returns an error, and creates nothing, if the data directory has no data yet.
func OpenExisting(ctx context.Context, c config.Config, log *slog.Logger) (*App, error) {
	if err := checkExisting(c); err != nil {
		return nil, err
	}
	return Open(ctx, c, log)
}

// checkExisting returns an error if the data directory has no data yet.
func checkExisting(c config.Config) error {
	marker := c.KeyPath()
	if c.Postgres() == "" {
		marker = c.SQLiteFile()
	}
	switch _, err := os.Stat(marker); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.Join(backup.Unfinished(c.Data), fmt.Errorf("there is no capi data in %s; choose another directory with --data, "+
			"or create one with capi workspace create or capi import", c.Data))
	case err != nil:
		return fmt.Errorf("open data directory: %w", err)
	}
	return nil
}

func openDB(ctx context.Context, s config.Storage) (*db.DB, error) {
	if url := s.Postgres(); url != "" {
		return postgres.Open(ctx, url)
	}
	d, err := sqlite.Open(ctx, s.SQLiteFile())
	if errors.Is(err, sqlite.ErrNotDatabase) {
		err = fmt.Errorf("%w; move the file away to start with an empty database, or choose another directory with --data", err)
	}
	return d, err
}

// openFiles opens the store of export files, and creates the data directory and the key if necessary. It also returns the key.
func openFiles(ctx context.Context, c config.Storage) (blob.Store, []byte, error) {
	dir := c.Data
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("create data directory: %w", err)
	}
	key, err := file.LoadKey(c.KeyPath())
	if err != nil {
		return nil, nil, err
	}
	if b := c.Bucket(); b != nil {
		files, err := openBucket(ctx, b)
		return files, key, err
	}
	files, err := file.Open(file.Options{Dir: filepath.Join(dir, filesDir), Key: key})
	if err != nil {
		return nil, nil, fmt.Errorf("open data directory %s: %w", dir, err)
	}
	return files, key, nil
}

func openBucket(ctx context.Context, b *config.Bucket) (*s3.Store, error) {
	return s3.Open(ctx, s3.Options{
		Bucket: b.Name, Prefix: b.Prefix, Endpoint: b.Endpoint, PublicEndpoint: b.PublicEndpoint, Region: b.Region, PathStyle: b.PathStyle,
	})
}

// openIndex opens the index of a server; an empty one for commands without the settings of an index, and for a server that answers
// no requests.
func openIndex(ctx context.Context, c config.Config, source index.Source, log *slog.Logger) (index.Index, error) {
	o := c.OpenSearch()
	if o == nil || c.Role == config.RoleWorker {
		return embedded.Open(embedded.Options{Log: log, Answers: 256}), nil
	}
	ix, err := connectIndex(ctx, c.SearchIndex, source, log)
	if err != nil {
		return nil, err // not a nil pointer in an index.Index
	}
	return ix, nil
}

// connectIndex opens the index in OpenSearch. A nil source trusts every index that this program has made.
func connectIndex(ctx context.Context, c config.SearchIndex, source index.Source, log *slog.Logger) (*opensearch.Index, error) {
	o := c.OpenSearch()
	password, err := c.Password()
	if err != nil {
		return nil, &config.Error{Setting: "index-password-file", Message: err.Error()}
	}
	ix, err := opensearch.Open(ctx, opensearch.Options{
		Addresses: o.Addresses, Name: o.Name, User: c.IndexUser, Password: password,
		CAFile: c.IndexCAFile, CertFile: c.IndexCertFile, KeyFile: c.IndexKeyFile,
		Replace: c.Replace, Source: source, Shards: o.Shards, Replicas: o.Replicas, Log: log,
	})
	return ix, explainOpenSearch(o, err)
}

// explainOpenSearch says which setting to correct if an index in OpenSearch cannot be opened.
func explainOpenSearch(o *config.OpenSearch, err error) error {
	at := strings.Join(o.Addresses, ", ")
	status := opensearch.RefusedStatus(err)
	switch {
	case err == nil:
		return nil
	case opensearch.IsReplaceable(err):
		return &config.Error{Setting: "index", Message: fmt.Sprintf("%v (at %s). Nothing was changed. Choose another name; or, if no other "+
			"installation uses this index, replace it with capi index rebuild --replace", err, at)}
	case errors.Is(err, opensearch.ErrForeign):
		return &config.Error{Setting: "index", Message: fmt.Sprintf("%v (at %s). Nothing was changed. Choose another name", err, at)}
	case status == http.StatusUnauthorized:
		return &config.Error{Setting: "index-user", Message: fmt.Sprintf("OpenSearch at %s refuses the user, the password or the certificate, "+
			"or needs one (status %d)", at, status)}
	case status == http.StatusForbidden:
		return &config.Error{Setting: "index-user", Message: fmt.Sprintf("OpenSearch at %s does not let this user do what the index %q needs: %v", at, o.Name, err)}
	case !o.TLS && status == http.StatusBadRequest:
		return &config.Error{Setting: "index", Message: fmt.Sprintf("OpenSearch at %s does not understand the request. If it uses TLS, --index begins "+
			"with opensearchs://: %v", at, err)}
	case fault.CodeOf(err) == fault.IndexUnavailable:
		hint := "Is it running, and are host and port right?"
		cause := errors.Unwrap(err)
		for next := cause; next != nil; next = errors.Unwrap(next) {
			cause = next
		}
		var unknown x509.UnknownAuthorityError
		var name x509.HostnameError
		var record tls.RecordHeaderError
		switch {
		case errors.As(err, &unknown), errors.As(err, &name):
			hint = "Name the certificates to trust with --index-ca-file."
		case errors.As(err, &record), strings.Contains(fmt.Sprint(cause), "malformed HTTP response"):
			hint = "If it does not use TLS, --index begins with opensearch://."
		}
		return &config.Error{Setting: "index", Message: fmt.Sprintf("OpenSearch at %s does not answer: %v. %s", at, cause, hint)}
	}
	return &config.Error{Setting: "index", Message: fmt.Sprintf("%q at %s cannot be used: %v", o.Name, at, err)}
}

// Check returns an error that says what to correct if a store or an index on another machine cannot be used. It writes nothing, so a
// server calls it before Open creates anything.
func Check(ctx context.Context, c config.Config) error {
	if b := c.Bucket(); b != nil {
		files, err := openBucket(ctx, b)
		if err != nil {
			return err
		}
		if err := files.Check(ctx); err != nil {
			return err
		}
	}
	if c.OpenSearch() == nil || c.Role == config.RoleWorker {
		return nil
	}
	ix, err := connectIndex(ctx, c.SearchIndex, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return ix.Close()
}
