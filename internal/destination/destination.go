// Package destination keeps where the workspaces have their exports delivered: buckets and SFTP servers of their own. It opens and
// tests them; it does not know what is delivered.
//
// Secrets are encrypted with a key that is not in the database, and are never returned.
package destination

import (
	"context"
	"crypto/cipher"
	"net/netip"
	"time"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/reach"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/seal"
)

// Kind is a kind of destination.
type Kind string

// The kinds.
const (
	S3   Kind = "s3"
	SFTP Kind = "sftp"
)

// Destination is a place of a workspace to which exports are delivered.
type Destination struct {
	ID        id.Destination
	Workspace id.Workspace
	Name      string // unique in the workspace
	Kind      Kind
	Bucket    Bucket // of the kind S3
	Host      Host   // of the kind SFTP
	Prefix    string // the folder of the files, with placeholders; see Folder
	CreatedAt time.Time

	sealed []byte
}

// Bucket is where a bucket is.
type Bucket struct {
	Name      string `json:"name"`
	Region    string `json:"region"`
	Endpoint  string `json:"endpoint,omitempty"` // URL of the server; empty for Amazon
	PathStyle bool   `json:"path_style,omitempty"`
	AccessKey string `json:"access_key"`
}

// Host is where an SFTP server is.
type Host struct {
	Name    string `json:"name"` // or its address
	Port    int    `json:"port"`
	User    string `json:"user"`
	HostKey string `json:"host_key"` // in one line: the only key that the server may have
	WithKey bool   `json:"with_key"` // whether the user signs in with a private key rather than a password; set by what is given
}

// Secrets are what opens a destination.
type Secrets struct {
	SecretKey  string `json:"secret_key,omitempty"` // of a bucket
	Password   string `json:"password,omitempty"`   // of an SFTP server, which has either this or the next
	PrivateKey string `json:"private_key,omitempty"`
	Passphrase string `json:"passphrase,omitempty"` // of the private key; empty if it has none
}

// settings are the JSON of a destination's row.
type settings struct {
	Bucket *Bucket `json:"bucket,omitempty"`
	Host   *Host   `json:"host,omitempty"`
}

// Options are the settings of Destinations.
type Options struct {
	// Allow are addresses that destinations may have although they are private, loopback or otherwise not public. Buckets there may be
	// used without TLS. Defaults to none.
	Allow []netip.Prefix

	// Resolve returns the addresses of a host. Defaults to net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	// Timeout bounds a test. Defaults to 30s.
	Timeout time.Duration

	// Open returns the server of a destination. Defaults to the real one; the simulation has one that can crash.
	Open func(Destination, Secrets) (remote.Server, error)
}

// Destinations is the store. Safe for concurrent use, also by several processes on one database.
type Destinations struct {
	db      *db.DB
	sealer  cipher.AEAD // nil without a key
	guard   *reach.Guard
	options Options
}

// New returns the store. Without a key, no destination can be created.
func New(d *db.DB, key []byte, o Options) *Destinations {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	s := &Destinations{
		db: d, sealer: seal.New(key, "destination secrets"), options: o,
		guard: reach.New(reach.Options{Allow: o.Allow, Setting: "destination-allow", Resolve: o.Resolve}),
	}
	if s.options.Open == nil {
		s.options.Open = s.open
	}
	return s
}
