package cli

import (
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/app"
)

type backupCommand struct {
	Dir string `arg:"" placeholder:"DIR" help:"A new or empty directory for the backup."`
	jsonFlag
}

// Help is shown below the summary.
func (backupCommand) Help() string {
	return `It copies the database as it is at one moment, the export files and their signing key, also while a server is running. The
index is not copied, because the server can build it from the database. A PostgreSQL database is not copied either: dump it
first, then run this command for everything beside it:

    capi backup /backup/2026-11-29
    pg_dump --format custom --file /backup/capi.dump "$CAPI_DB" && capi backup /backup/2026-11-29

The directory is complete once it contains backup.json. To put it back, run capi restore.`
}

// Run makes the backup.
func (c *backupCommand) Run(s *session) error {
	if err := s.config.ValidateStorage(); err != nil {
		return err
	}
	m, err := app.Backup(s.ctx, s.config, version().Version, c.Dir)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(m)
	}
	if bucket := s.config.Bucket(); bucket != nil {
		s.printf("The export files are in the bucket %s and not part of the backup.\n", bucket.Name)
	}
	s.printf("Backed up the database and %s (%s) to %s.\n", plural(m.Files, "export file", "export files"),
		humanize.IBytes(uint64(m.FileBytes)), c.Dir) //nolint:gosec // a size is not negative
	if m.DatabaseSHA256 == "" {
		s.printf("The PostgreSQL database is not part of it: keep a dump of the database that is older than this backup.\n")
	}
	return nil
}

type restoreCommand struct {
	Dir string `arg:"" placeholder:"DIR" help:"The directory of the backup."`
	jsonFlag
}

// Help is shown below the summary.
func (restoreCommand) Help() string {
	return `Stop the server first. The command checks the backup, moves the data that is in the data directory to a directory beside it,
so that nothing is lost, and copies the backup in. With PostgreSQL, restore the dump with pg_restore as well. Then start the
server and run capi doctor.

    capi restore --data /var/lib/capi /backup/2026-11-29`
}

type restoreDone struct {
	CreatedAt time.Time `json:"created_at"`
	Replaced  *string   `json:"replaced"`
}

// Run restores the backup.
func (c *restoreCommand) Run(s *session) error {
	if err := s.config.ValidateStorage(); err != nil {
		return err
	}
	done, err := app.Restore(s.ctx, s.config, c.Dir)
	if err != nil {
		return err
	}
	if c.JSON {
		r := restoreDone{CreatedAt: done.Manifest.CreatedAt}
		if done.Replaced != "" {
			r.Replaced = &done.Replaced
		}
		return s.printJSON(r)
	}
	s.printf("Restored the backup of %s into %s.\n", timestamp(done.Manifest.CreatedAt), s.config.Data)
	if done.Replaced != "" {
		s.printf("The data that was there before is in %s. Delete it when you no longer need it.\n", done.Replaced)
	}
	s.printf("Start the server, then check everything with capi doctor.\n")
	return nil
}
