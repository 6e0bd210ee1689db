package destination

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// PerWorkspaceMax is how many destinations a workspace may have.
const PerWorkspaceMax = 20

// Change is what to change of a destination; nil for what stays.
type Change struct {
	Name   *string
	Prefix *string

	Bucket    *string // and the other properties of a bucket
	Region    *string
	Endpoint  *string
	PathStyle *bool
	AccessKey *string
	SecretKey *string

	Host       *string // and the other properties of an SFTP server
	Port       *int
	User       *string
	HostKey    *string
	Password   *string
	PrivateKey *string // replaces a password, as a password replaces a private key
	Passphrase *string
}

// Create creates a destination after it has written and deleted a file there. Faults: Validation for settings that are not valid, a
// place that cannot be written to, a name that the workspace has already, and too many destinations; Forbidden without a key to encrypt
// the secrets with.
func (s *Destinations) Create(ctx context.Context, d Destination, secrets Secrets) (Destination, error) {
	if s.sealer == nil {
		return Destination{}, fault.New(fault.Forbidden, "This server has no key to encrypt secrets with, so it can have no destinations.")
	}
	d.ID, d.CreatedAt = id.New[id.Destination](), db.FromTime(db.Time(time.Now()))
	if err := s.prepare(ctx, &d, secrets); err != nil {
		return Destination{}, err
	}
	content, err := d.stored()
	if err != nil {
		return Destination{}, err
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		// The row of the workspace is locked, so that two destinations created at once are counted one after the other.
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM workspace WHERE id = $1`+tx.ForUpdate(), d.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create destination: %w", err)
		}
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM destination WHERE workspace_id = $1`, d.Workspace).Scan(&n); err != nil {
			return fmt.Errorf("create destination: %w", err)
		}
		if n >= PerWorkspaceMax {
			return fault.Invalid(fault.FieldError{Message: fmt.Sprintf("The workspace has %d destinations, the most that it may have. Delete one first.", n)})
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO destination (id, workspace_id, name, kind, settings, secrets, prefix, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, d.ID, d.Workspace, d.Name, string(d.Kind), content, d.sealed, d.Prefix, db.Time(d.CreatedAt))
		if err != nil {
			return s.explain(err)
		}
		return record(ctx, tx, auditlog.DestinationCreated, d)
	})
	if err != nil {
		return Destination{}, err
	}
	return d, nil
}

// explain returns the fault behind a second destination of a name.
func (s *Destinations) explain(err error) error {
	if s.db.Duplicate(err) {
		return fault.Invalid(fault.FieldError{Field: "name", Message: "is the name of another destination of this workspace; change that one, or choose another name"})
	}
	return fmt.Errorf("write destination: %w", err)
}

func record(ctx context.Context, tx *db.Tx, action auditlog.Action, d Destination) error {
	return auditlog.Record(ctx, tx, auditlog.Event{
		Workspace: d.Workspace, Action: action, Subject: "destination:" + d.ID.String(), Name: d.Name,
		Details: map[string]any{"type": string(d.Kind), "place": d.Place(), "prefix": d.Prefix},
	})
}

// prepare checks the settings of a destination, writes and deletes a file there, and encrypts its secrets.
func (s *Destinations) prepare(ctx context.Context, d *Destination, secrets Secrets) error {
	if err := s.check(ctx, d, secrets); err != nil {
		return err
	}
	if err := s.try(ctx, *d, secrets); err != nil {
		return err
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	d.sealed = s.sealer.Seal(nil, nil, plain, []byte(d.ID.String()))
	return nil
}

// stored returns the settings of a destination as its row has them.
func (d Destination) stored() (string, error) {
	content := settings{Bucket: &d.Bucket}
	if d.Kind == SFTP {
		content = settings{Host: &d.Host}
	}
	encoded, err := json.Marshal(content)
	return string(encoded), err
}

func (s *Destinations) unseal(d Destination) (secrets Secrets, err error) {
	if s.sealer == nil {
		return secrets, fault.New(fault.Forbidden, "This server has no key to decrypt the secrets of destinations with.")
	}
	plain, err := s.sealer.Open(nil, nil, d.sealed, []byte(d.ID.String()))
	if err != nil {
		return secrets, fault.New(fault.Forbidden,
			"The secrets of the destination %s were encrypted with another key than this server has. Change the destination, with its secrets, to use it again.", d.ID)
	}
	err = json.Unmarshal(plain, &secrets)
	return secrets, err
}

const columns = `id, workspace_id, name, kind, settings, secrets, prefix, created_at`

func scan(row db.Row) (d Destination, err error) {
	var content string
	var created int64
	if err := row.Scan(&d.ID, &d.Workspace, &d.Name, &d.Kind, &content, &d.sealed, &d.Prefix, &created); err != nil {
		return d, err
	}
	d.CreatedAt = db.FromTime(created)
	var stored settings
	err = json.Unmarshal([]byte(content), &stored)
	if stored.Bucket != nil {
		d.Bucket = *stored.Bucket
	}
	if stored.Host != nil {
		d.Host = *stored.Host
	}
	return d, err
}

// List returns the destinations of the workspace, oldest first.
func (s *Destinations) List(ctx context.Context, ws id.Workspace) ([]Destination, error) {
	all, err := db.Collect(ctx, s.db.Read(), scan, `SELECT `+columns+` FROM destination WHERE workspace_id = $1 ORDER BY id`, ws)
	if err != nil {
		return nil, fmt.Errorf("list destinations: %w", err)
	}
	return all, nil
}

// Get returns a destination of the workspace. Faults: NotFound.
func (s *Destinations) Get(ctx context.Context, ws id.Workspace, destination id.Destination) (Destination, error) {
	return one(ctx, s.db.Read(), ws, destination, "")
}

func one(ctx context.Context, q db.Querier, ws id.Workspace, destination id.Destination, lock string) (Destination, error) {
	d, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM destination WHERE id = $1 AND workspace_id = $2`+lock, destination, ws))
	if errors.Is(err, sql.ErrNoRows) {
		return Destination{}, fault.New(fault.NotFound, "There is no destination %s in this workspace.", destination)
	}
	if err != nil {
		return Destination{}, fmt.Errorf("read destination %s: %w", destination, err)
	}
	return d, nil
}

// Update changes a destination after it has written and deleted a file there, unless only the name changes. Faults: as Create;
// NotFound; Validation if the secrets are missing although they would be sent to another server.
func (s *Destinations) Update(ctx context.Context, ws id.Workspace, destination id.Destination, c Change) (Destination, error) {
	before, err := s.Get(ctx, ws, destination)
	if err != nil {
		return Destination{}, err
	}
	secrets, unreadable := s.unseal(before)
	d := c.apply(before, &secrets)
	onlyName := c == Change{Name: c.Name}
	replaced := s.sealer != nil && (c.SecretKey != nil || c.Password != nil || c.PrivateKey != nil)
	if !onlyName && unreadable != nil && !replaced {
		return Destination{}, unreadable
	}
	if err := c.fits(d.Kind); err != nil {
		return Destination{}, err
	}
	if errs := c.missing(before, d); len(errs) > 0 {
		return Destination{}, fault.Invalid(errs...)
	}
	if onlyName {
		err = fault.Invalid(nameFault(&d)...)
	} else {
		err = s.prepare(ctx, &d, secrets)
	}
	if err != nil {
		return Destination{}, err
	}
	content, err := d.stored()
	if err != nil {
		return Destination{}, err
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		now, err := one(ctx, tx, ws, destination, tx.ForUpdate())
		if err != nil {
			return err
		}
		if !now.equal(before) {
			return fault.New(fault.RequestInFlight, "Somebody else has changed the destination at the same time. Look at it, then try again.")
		}
		_, err = tx.ExecContext(ctx, `UPDATE destination SET name = $2, settings = $3, secrets = $4, prefix = $5 WHERE id = $1`,
			d.ID, d.Name, content, d.sealed, d.Prefix)
		if err != nil {
			return s.explain(err)
		}
		return record(ctx, tx, auditlog.DestinationChanged, d)
	})
	if err != nil {
		return Destination{}, err
	}
	return d, nil
}

func (d Destination) equal(o Destination) bool {
	return d.Name == o.Name && d.Prefix == o.Prefix && d.Bucket == o.Bucket && d.Host == o.Host && string(d.sealed) == string(o.sealed)
}

func set[T any](at *T, to *T) {
	if to != nil {
		*at = *to
	}
}

func (c Change) apply(d Destination, secrets *Secrets) Destination {
	set(&d.Name, c.Name)
	set(&d.Prefix, c.Prefix)
	set(&d.Bucket.Name, c.Bucket)
	set(&d.Bucket.Region, c.Region)
	set(&d.Bucket.Endpoint, c.Endpoint)
	set(&d.Bucket.PathStyle, c.PathStyle)
	set(&d.Bucket.AccessKey, c.AccessKey)
	set(&secrets.SecretKey, c.SecretKey)
	set(&d.Host.Name, c.Host)
	set(&d.Host.Port, c.Port)
	set(&d.Host.User, c.User)
	set(&d.Host.HostKey, c.HostKey)
	if c.Password != nil || c.PrivateKey != nil {
		secrets.Password, secrets.PrivateKey, secrets.Passphrase = "", "", ""
	}
	set(&secrets.Password, c.Password)
	set(&secrets.PrivateKey, c.PrivateKey)
	set(&secrets.Passphrase, c.Passphrase)
	return d
}

// fits returns a Validation fault for settings of another kind.
func (c Change) fits(kind Kind) error {
	bucket := c.Bucket != nil || c.Region != nil || c.Endpoint != nil || c.PathStyle != nil || c.AccessKey != nil || c.SecretKey != nil
	host := c.Host != nil || c.Port != nil || c.User != nil || c.HostKey != nil || c.Password != nil || c.PrivateKey != nil || c.Passphrase != nil
	switch {
	case bucket && kind != S3:
		return fault.Invalid(fault.FieldError{Field: "s3", Message: "is only for type s3; the type of a destination does not change"})
	case host && kind != SFTP:
		return fault.Invalid(fault.FieldError{Field: "sftp", Message: "is only for type sftp; the type of a destination does not change"})
	}
	return nil
}

// missing returns the errors of secrets that must be given again, because the old ones would go to another server: somebody who may change
// a destination may not learn its secrets.
func (c Change) missing(before, after Destination) []fault.FieldError {
	if (before.Bucket.Endpoint != after.Bucket.Endpoint || before.Bucket.AccessKey != after.Bucket.AccessKey) && c.SecretKey == nil {
		return []fault.FieldError{{Field: "s3.secret_access_key", Message: "is required to change the endpoint or the access key id"}}
	}
	if a, b := before.Host, after.Host; (a.Name != b.Name || a.Port != b.Port || a.User != b.User || a.HostKey != b.HostKey) && c.Password == nil && c.PrivateKey == nil {
		return []fault.FieldError{{Field: "sftp", Message: "needs the password or private_key again to change the host, the port, the user or the host key"}}
	}
	return nil
}

// Delete deletes a destination. What is to be delivered there fails. Faults: NotFound.
func (s *Destinations) Delete(ctx context.Context, ws id.Workspace, destination id.Destination) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		d, err := one(ctx, tx, ws, destination, tx.ForUpdate())
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM destination WHERE id = $1`, destination); err != nil {
			return fmt.Errorf("delete destination %s: %w", destination, err)
		}
		return record(ctx, tx, auditlog.DestinationDeleted, d)
	})
}
