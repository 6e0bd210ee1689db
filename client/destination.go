package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Destination is a place to which exports are delivered. Its secrets are never returned.
type Destination struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Type      string    `json:"type"` // s3 or sftp
	Prefix    string    `json:"prefix"`
	Place     string    `json:"place"` // for people to read
	S3        *Bucket   `json:"s3"`    // for type s3
	SFTP      *Host     `json:"sftp"`  // for type sftp
	CreatedAt time.Time `json:"created_at"`
}

// Bucket is where a bucket is.
type Bucket struct {
	Bucket      string `json:"bucket"`
	Region      string `json:"region"`
	Endpoint    string `json:"endpoint"` // empty for Amazon S3
	PathStyle   bool   `json:"path_style"`
	AccessKeyID string `json:"access_key_id"`
}

// DestinationRequest describes a destination to create.
type DestinationRequest struct {
	Name   string         `json:"name"`
	Type   string         `json:"type"`             // s3 or sftp
	Prefix string         `json:"prefix,omitempty"` // the folder of the files, with placeholders such as {date}
	S3     *BucketRequest `json:"s3,omitempty"`     // for type s3
	SFTP   *HostRequest   `json:"sftp,omitempty"`   // for type sftp
}

// BucketRequest says where a bucket is and what opens it.
type BucketRequest struct {
	Bucket          string `json:"bucket"`
	Region          string `json:"region,omitempty"`     // required for Amazon S3
	Endpoint        string `json:"endpoint,omitempty"`   // empty for Amazon S3
	PathStyle       *bool  `json:"path_style,omitempty"` // nil for true with an endpoint, else false
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// DestinationChange says what to change of a destination; nil for what stays.
type DestinationChange struct {
	Name   *string       `json:"name,omitempty"`
	Prefix *string       `json:"prefix,omitempty"`
	S3     *BucketChange `json:"s3,omitempty"`
	SFTP   *HostChange   `json:"sftp,omitempty"`
}

// BucketChange says what to change of a bucket; nil for what stays. SecretAccessKey must be sent with another endpoint or key.
type BucketChange struct {
	Bucket          *string `json:"bucket,omitempty"`
	Region          *string `json:"region,omitempty"`
	Endpoint        *string `json:"endpoint,omitempty"`
	PathStyle       *bool   `json:"path_style,omitempty"`
	AccessKeyID     *string `json:"access_key_id,omitempty"`
	SecretAccessKey *string `json:"secret_access_key,omitempty"`
}

// Host is where an SFTP server is. Authentication is password or private_key.
type Host struct {
	Host           string `json:"host"`
	Port           int    `json:"port"`
	User           string `json:"user"`
	HostKey        string `json:"host_key"` // in one line
	Authentication string `json:"authentication"`
}

// HostRequest says where an SFTP server is and what opens it: a password or a private key. Without a HostKey, CreateDestination returns an
// error that shows the keys of the server.
type HostRequest struct {
	Host       string `json:"host"`
	Port       int    `json:"port,omitempty"` // 0 for 22
	User       string `json:"user"`
	Password   string `json:"password,omitempty"`
	PrivateKey string `json:"private_key,omitempty"`
	Passphrase string `json:"passphrase,omitempty"` // of the private key
	HostKey    string `json:"host_key,omitempty"`   // its fingerprint, or its line
}

// HostChange says what to change of an SFTP server; nil for what stays. Another host, port, user or host key needs the password or the
// private key again.
type HostChange struct {
	Host       *string `json:"host,omitempty"`
	Port       *int    `json:"port,omitempty"`
	User       *string `json:"user,omitempty"`
	Password   *string `json:"password,omitempty"`
	PrivateKey *string `json:"private_key,omitempty"`
	Passphrase *string `json:"passphrase,omitempty"`
	HostKey    *string `json:"host_key,omitempty"`
}

// DestinationTest is what a test of a destination gave.
type DestinationTest struct {
	OK      bool   `json:"ok"`
	Path    string `json:"path"`    // of the file that was written, or was to be
	Deleted bool   `json:"deleted"` // whether it was deleted again, which deliveries do not need
	Message string `json:"message"`
	TookMS  int64  `json:"took_ms"`
}

// ExportDelivery is the delivery of an export to a destination. Status is pending, delivered or failed.
type ExportDelivery struct {
	DestinationID string     `json:"destination_id"`
	Status        string     `json:"status"`
	Attempts      int        `json:"attempts"`
	NextAttemptAt *time.Time `json:"next_attempt_at"`
	DeliveredAt   *time.Time `json:"delivered_at"`
	Path          string     `json:"path"` // of the file at the destination; empty until it is delivered
	Error         string     `json:"error"`
}

func destinationPath(id, more string) string { return "/destinations/" + url.PathEscape(id) + more }

// CreateDestination creates a destination, after a small file was written there and deleted.
func (c *Client) CreateDestination(ctx context.Context, r DestinationRequest) (*Destination, error) {
	return answer[Destination](ctx, c, http.MethodPost, "/destinations", r)
}

// Destinations returns all destinations of the workspace, oldest first.
func (c *Client) Destinations(ctx context.Context) ([]Destination, error) {
	page, err := answer[Page[Destination]](ctx, c, http.MethodGet, "/destinations", nil)
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}

// Destination returns a destination.
func (c *Client) Destination(ctx context.Context, id string) (*Destination, error) {
	return answer[Destination](ctx, c, http.MethodGet, destinationPath(id, ""), nil)
}

// UpdateDestination changes a destination, after a small file was written to the changed one and deleted.
func (c *Client) UpdateDestination(ctx context.Context, id string, change DestinationChange) (*Destination, error) {
	return answer[Destination](ctx, c, http.MethodPatch, destinationPath(id, ""), change)
}

// DeleteDestination deletes a destination.
func (c *Client) DeleteDestination(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, destinationPath(id, ""), nil, nil)
}

// TestDestination writes a small file to the destination and deletes it.
func (c *Client) TestDestination(ctx context.Context, id string) (*DestinationTest, error) {
	return answer[DestinationTest](ctx, c, http.MethodPost, destinationPath(id, "/test"), nil)
}

// DeliverExport delivers a completed export to its destination again, or at once if its next attempt is later. It is free.
func (c *Client) DeliverExport(ctx context.Context, id string) (*ExportDelivery, error) {
	var d ExportDelivery
	if err := c.create(ctx, "/exports/"+url.PathEscape(id)+"/deliver", nil, &d); err != nil {
		return nil, err
	}
	return &d, nil
}
