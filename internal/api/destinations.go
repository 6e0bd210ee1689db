package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
)

// Destination is a place to which exports are delivered.
type Destination struct {
	ID        id.Destination `json:"id" format:"uuid" doc:"The id of the destination, for destination_id of an export."`
	Name      string         `json:"name" doc:"The name, which no other destination of the workspace has."`
	Type      string         `json:"type" enum:"s3,sftp" doc:"The kind of place."`
	Prefix    string         `json:"prefix" doc:"The folder of the files, with placeholders."`
	Place     string         `json:"place" doc:"Where it is, for people to read."`
	S3        *Bucket        `json:"s3" doc:"The bucket; null unless type is s3."`
	SFTP      *Host          `json:"sftp" doc:"The SFTP server; null unless type is sftp."`
	CreatedAt time.Time      `json:"created_at" doc:"When it was created."`
}

// TransformSchema allows null for the settings of other types.
func (*Destination) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNullSchema(orNullSchema(s, "s3"), "sftp")
}

// Bucket is where a bucket is.
type Bucket struct {
	Bucket      string  `json:"bucket" doc:"The name of the bucket."`
	Region      string  `json:"region" doc:"Its region."`
	Endpoint    *string `json:"endpoint" doc:"The URL of the server; null for Amazon S3."`
	PathStyle   bool    `json:"path_style" doc:"Whether the bucket is in the path of requests rather than in their host name."`
	AccessKeyID string  `json:"access_key_id" doc:"The id of the key."`
}

// Host is where an SFTP server is.
type Host struct {
	Host           string `json:"host" doc:"Its name or address."`
	Port           int    `json:"port" doc:"Its port."`
	User           string `json:"user" doc:"The user who signs in."`
	HostKey        string `json:"host_key" doc:"The only key that the server may have, in one line."`
	Authentication string `json:"authentication" enum:"password,private_key" doc:"How the user signs in."`
}

// DestinationsResponse holds all destinations of the workspace.
type DestinationsResponse struct {
	Items []Destination `json:"items" doc:"The destinations, oldest first. A workspace has at most 20."`
}

// DestinationRequest describes a destination to create.
type DestinationRequest struct {
	Name   string         `json:"name" required:"true" minLength:"1" maxLength:"100" doc:"A name, which no other destination of the workspace has."`
	Type   string         `json:"type" required:"true" enum:"s3,sftp" doc:"s3: a bucket of Amazon S3, or of a server that speaks its protocol. sftp: a folder of an SFTP server."`
	Prefix string         `json:"prefix,omitempty" maxLength:"500" doc:"The folder of the files. The placeholders {year}, {month}, {day} and {date} are the day, in UTC, on which the export was created, {export_id} is its id, and {order_id} and {order_name} are those of its standing order, or no-order. dt={date}/ is the layout of Hive. Without it, files are at the top." example:"companies/dt={date}/"`
	S3     *BucketRequest `json:"s3,omitempty" doc:"For type s3: the bucket."`
	SFTP   *HostRequest   `json:"sftp,omitempty" doc:"For type sftp: the server."`
}

// BucketRequest says where a bucket is and what opens it.
type BucketRequest struct {
	Bucket          string `json:"bucket" required:"true" maxLength:"63" doc:"The name of the bucket." example:"acme-data"`
	Region          string `json:"region,omitempty" maxLength:"40" doc:"Its region; required for Amazon S3." example:"eu-central-1"`
	Endpoint        string `json:"endpoint,omitempty" maxLength:"500" doc:"The URL of the server, with https; without it, Amazon S3."`
	PathStyle       *bool  `json:"path_style,omitempty" doc:"Whether the bucket is in the path of requests rather than in their host name. Defaults to true with an endpoint, else to false."`
	AccessKeyID     string `json:"access_key_id" required:"true" maxLength:"128" doc:"The id of a key with the rights s3:PutObject and s3:AbortMultipartUpload below the prefix."`
	SecretAccessKey string `json:"secret_access_key" required:"true" maxLength:"500" doc:"Its secret. It is encrypted and never returned."`
}

// HostRequest says where an SFTP server is and what opens it.
type HostRequest struct {
	Host       string `json:"host" required:"true" maxLength:"253" doc:"The name or the address of the server." example:"sftp.example.com"`
	Port       int    `json:"port,omitempty" minimum:"1" maximum:"65535" default:"22" doc:"Its port."`
	User       string `json:"user" required:"true" maxLength:"100" doc:"The user who signs in."`
	Password   string `json:"password,omitempty" maxLength:"500" doc:"The password; or send a private_key. It is encrypted and never returned."`
	PrivateKey string `json:"private_key,omitempty" maxLength:"20000" doc:"A private key in the format of OpenSSH or PEM. It is encrypted and never returned."`
	Passphrase string `json:"passphrase,omitempty" maxLength:"500" doc:"The passphrase of the private key, if it has one."`
	HostKey    string `json:"host_key,omitempty" maxLength:"2000" doc:"The key that the server must have: its fingerprint, such as SHA256:…, or the line that ssh-keyscan prints. Without it, the answer is an error that shows the keys of the server, to be compared and confirmed."`
}

// DestinationChange says what to change of a destination.
type DestinationChange struct {
	Name   *string       `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"Another name."`
	Prefix *string       `json:"prefix,omitempty" maxLength:"500" doc:"Another folder; empty for none."`
	S3     *BucketChange `json:"s3,omitempty" doc:"Changes of a bucket."`
	SFTP   *HostChange   `json:"sftp,omitempty" doc:"Changes of an SFTP server."`
}

// BucketChange says what to change of a bucket.
type BucketChange struct {
	Bucket          *string `json:"bucket,omitempty" maxLength:"63" doc:"Another bucket."`
	Region          *string `json:"region,omitempty" maxLength:"40" doc:"Another region."`
	Endpoint        *string `json:"endpoint,omitempty" maxLength:"500" doc:"Another server; empty for Amazon S3."`
	PathStyle       *bool   `json:"path_style,omitempty" doc:"Whether the bucket is in the path of requests."`
	AccessKeyID     *string `json:"access_key_id,omitempty" maxLength:"128" doc:"The id of another key."`
	SecretAccessKey *string `json:"secret_access_key,omitempty" maxLength:"500" doc:"Another secret. It must be sent with another endpoint or access_key_id."`
}

// HostChange says what to change of an SFTP server.
type HostChange struct {
	Host       *string `json:"host,omitempty" maxLength:"253" doc:"Another server. Like another port, user or host key, it needs the password or private_key again."`
	Port       *int    `json:"port,omitempty" minimum:"1" maximum:"65535" doc:"Another port."`
	User       *string `json:"user,omitempty" maxLength:"100" doc:"Another user."`
	Password   *string `json:"password,omitempty" maxLength:"500" doc:"Another password. It replaces a private key."`
	PrivateKey *string `json:"private_key,omitempty" maxLength:"20000" doc:"Another private key. It replaces a password."`
	Passphrase *string `json:"passphrase,omitempty" maxLength:"500" doc:"The passphrase of the private key."`
	HostKey    *string `json:"host_key,omitempty" maxLength:"2000" doc:"Another host key."`
}

// DestinationTest is what a test of a destination gave.
type DestinationTest struct {
	OK      bool   `json:"ok" doc:"Whether exports can be delivered."`
	Path    string `json:"path" doc:"The file that was written, or was to be."`
	Deleted bool   `json:"deleted" doc:"Whether it was deleted again. Deliveries do not need that."`
	Message string `json:"message" doc:"What happened, or what to correct."`
	TookMS  int64  `json:"took_ms" doc:"How long it took, in milliseconds."`
}

// ExportDelivery is the delivery of an export to a destination.
type ExportDelivery struct {
	DestinationID id.Destination `json:"destination_id" format:"uuid" doc:"The destination; it may have been deleted since."`
	Status        string         `json:"status" enum:"pending,delivered,failed" doc:"pending while attempts follow, delivered after a success, failed if there are no more."`
	Attempts      int            `json:"attempts" doc:"How many attempts were made, since it was last asked for."`
	NextAttemptAt *time.Time     `json:"next_attempt_at" doc:"The next attempt; null if there is none, or it is due."`
	DeliveredAt   *time.Time     `json:"delivered_at" doc:"When it was last delivered; null if it was not."`
	Path          *string        `json:"path" doc:"The file at the destination; null until it is delivered. Its manifest is beside it: _, this name, and .manifest.json."`
	Error         *string        `json:"error" doc:"Why the last attempt failed; null if it did not."`
}

type (
	newDestinationInput struct{ Body DestinationRequest }
	oneDestinationInput struct {
		Destination id.Destination `path:"destination_id" format:"uuid" doc:"The id of the destination."`
	}
	changeDestinationInput struct {
		oneDestinationInput
		Body DestinationChange
	}
)

// Resolve returns the errors of settings that do not fit the type.
func (b *DestinationRequest) Resolve() []fault.FieldError {
	isS3 := b.Type == string(destination.S3)
	var errs []fault.FieldError
	for _, kind := range []struct {
		field        string
		given, wants bool
	}{{"s3", b.S3 != nil, isS3}, {"sftp", b.SFTP != nil, !isS3}} {
		switch {
		case kind.wants && !kind.given:
			errs = append(errs, fault.FieldError{Field: kind.field, Message: "is required for type " + kind.field})
		case kind.given && !kind.wants:
			errs = append(errs, fault.FieldError{Field: kind.field, Message: "is only for type " + kind.field})
		}
	}
	return errs
}

func (b *DestinationRequest) destination(ws id.Workspace) (destination.Destination, destination.Secrets) {
	d := destination.Destination{Workspace: ws, Name: b.Name, Kind: destination.Kind(b.Type), Prefix: b.Prefix}
	var secrets destination.Secrets
	if s := b.S3; s != nil {
		d.Bucket = destination.Bucket{Name: s.Bucket, Region: s.Region, Endpoint: s.Endpoint, PathStyle: s.Endpoint != "", AccessKey: s.AccessKeyID}
		if s.PathStyle != nil {
			d.Bucket.PathStyle = *s.PathStyle
		}
		secrets.SecretKey = s.SecretAccessKey
	}
	if s := b.SFTP; s != nil {
		d.Host = destination.Host{Name: s.Host, Port: s.Port, User: s.User, HostKey: s.HostKey}
		secrets = destination.Secrets{Password: s.Password, PrivateKey: s.PrivateKey, Passphrase: s.Passphrase}
	}
	return d, secrets
}

func (b *DestinationChange) change() destination.Change {
	c := destination.Change{Name: b.Name, Prefix: b.Prefix}
	if s := b.S3; s != nil {
		c.Bucket, c.Region, c.Endpoint, c.PathStyle, c.AccessKey, c.SecretKey = s.Bucket, s.Region, s.Endpoint, s.PathStyle, s.AccessKeyID, s.SecretAccessKey
	}
	if s := b.SFTP; s != nil {
		c.Host, c.Port, c.User, c.HostKey, c.Password, c.PrivateKey, c.Passphrase = s.Host, s.Port, s.User, s.HostKey, s.Password, s.PrivateKey, s.Passphrase
	}
	return c
}

func destinationOf(d destination.Destination) *Destination {
	out := &Destination{ID: d.ID, Name: d.Name, Type: string(d.Kind), Prefix: d.Prefix, Place: d.Place(), CreatedAt: d.CreatedAt}
	if b := d.Bucket; d.Kind == destination.S3 {
		out.S3 = &Bucket{Bucket: b.Name, Region: b.Region, Endpoint: orNull(b.Endpoint), PathStyle: b.PathStyle, AccessKeyID: b.AccessKey}
	}
	if h := d.Host; d.Kind == destination.SFTP {
		out.SFTP = &Host{Host: h.Name, Port: h.Port, User: h.User, HostKey: h.HostKey, Authentication: "password"}
		if h.WithKey {
			out.SFTP.Authentication = "private_key"
		}
	}
	return out
}

func exportDeliveryOf(d delivery.Delivery) ExportDelivery {
	return ExportDelivery{
		DestinationID: d.Destination, Status: string(d.State), Attempts: d.Attempts, NextAttemptAt: d.NextAt, DeliveredAt: d.DeliveredAt,
		Path: orNull(d.Path), Error: orNull(d.Error),
	}
}

// destinationOwner returns Forbidden unless the token belongs to an owner: destinations decide where what was bought goes.
func destinationOwner(caller auth.Caller) error {
	return forOwners(caller, "create, change, test and delete destinations")
}

func (s *server) createDestination(ctx context.Context, caller auth.Caller, in *newDestinationInput) (*Destination, error) {
	if err := destinationOwner(caller); err != nil {
		return nil, err
	}
	d, secrets := in.Body.destination(caller.Workspace)
	made, err := s.Destinations.Create(ctx, d, secrets)
	if err != nil {
		return nil, err
	}
	return destinationOf(made), nil
}

func (s *server) listDestinations(ctx context.Context, caller auth.Caller, _ *nothingIn) (*DestinationsResponse, error) {
	all, err := s.Destinations.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := &DestinationsResponse{Items: []Destination{}}
	for _, d := range all {
		out.Items = append(out.Items, *destinationOf(d))
	}
	return out, nil
}

func (s *server) getDestination(ctx context.Context, caller auth.Caller, in *oneDestinationInput) (*Destination, error) {
	d, err := s.Destinations.Get(ctx, caller.Workspace, in.Destination)
	if err != nil {
		return nil, err
	}
	return destinationOf(d), nil
}

func (s *server) updateDestination(ctx context.Context, caller auth.Caller, in *changeDestinationInput) (*Destination, error) {
	if err := destinationOwner(caller); err != nil {
		return nil, err
	}
	d, err := s.Destinations.Update(ctx, caller.Workspace, in.Destination, in.Body.change())
	if err != nil {
		return nil, err
	}
	return destinationOf(d), nil
}

func (s *server) deleteDestination(ctx context.Context, caller auth.Caller, in *oneDestinationInput) (*nothingOut, error) {
	if err := destinationOwner(caller); err != nil {
		return nil, err
	}
	return &nothingOut{}, s.Destinations.Delete(ctx, caller.Workspace, in.Destination)
}

func (s *server) testDestination(ctx context.Context, caller auth.Caller, in *oneDestinationInput) (*DestinationTest, error) {
	if err := destinationOwner(caller); err != nil {
		return nil, err
	}
	r, err := s.Destinations.Test(ctx, caller.Workspace, in.Destination)
	if err != nil {
		return nil, err
	}
	return &DestinationTest{OK: r.OK, Path: r.Path, Deleted: r.Deleted, Message: r.Message, TookMS: r.Took.Milliseconds()}, nil
}

func (s *server) deliverExport(ctx context.Context, caller auth.Caller, in *oneExportInput, a *idempotency.Attempt) error {
	_, err := s.Deliveries.Again(ctx, caller.Workspace, in.Export, idempotency.Last(a, rendered(exportDeliveryOf)))
	return err
}
