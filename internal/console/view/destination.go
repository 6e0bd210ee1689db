package view

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/id"
)

// Destinations is the page of the places to which a workspace has exports delivered.
type Destinations struct {
	All    []destination.Destination
	Form   DestinationForm
	Faults map[string]string // by the names of the form's fields
}

// Destination is the page of one of them.
type Destination struct {
	destination.Destination
	Form       DestinationForm // changes it
	Faults     map[string]string
	Deliveries []delivery.Named
	Later      bool
	More       string // the address of older deliveries; empty if there are none
}

// DestinationForm is the form of a new destination, as it was filled in. Secrets are never shown again.
type DestinationForm struct {
	destination.Destination
	Port    string
	Secrets destination.Secrets
}

// ReadDestination reads the form of a destination.
func ReadDestination(form url.Values) DestinationForm {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	d := destination.Destination{
		Name: get("name"), Kind: destination.Kind(cmp.Or(get("kind"), string(destination.S3))), Prefix: get("prefix"),
	}
	f := DestinationForm{Destination: d, Port: get("sftp-port")}
	if d.Kind == destination.SFTP {
		f.Host = destination.Host{Name: get("sftp-host"), User: get("sftp-user"), HostKey: get("sftp-host_key")}
		port, err := strconv.Atoi(cmp.Or(f.Port, "22"))
		if err != nil || port == 0 {
			port = -1 // the store refuses it; 0 would be the usual port
		}
		f.Host.Port = port
		f.Secrets = destination.Secrets{Password: form.Get("sftp-password"), PrivateKey: form.Get("sftp-private_key"), Passphrase: form.Get("sftp-passphrase")}
		return f
	}
	f.Bucket = destination.Bucket{
		Name: get("s3-bucket"), Region: get("s3-region"), Endpoint: get("s3-endpoint"), PathStyle: get("s3-endpoint") != "", AccessKey: get("s3-access_key_id"),
	}
	f.Secrets.SecretKey = get("s3-secret_access_key")
	return f
}

// FormOfDestination returns the form that changes a destination.
func FormOfDestination(d destination.Destination) DestinationForm {
	f := DestinationForm{Destination: d}
	if d.Kind == destination.SFTP {
		f.Port = strconv.Itoa(d.Host.Port)
	}
	return f
}

// Change returns what the form changes of the destination. A secret that is left empty stays.
func (f DestinationForm) Change(old destination.Destination) destination.Change {
	var c destination.Change
	differs := func(at **string, now, before string) {
		if now != before {
			*at = &now
		}
	}
	c.Name = &f.Name
	differs(&c.Prefix, f.Prefix, old.Prefix)
	differs(&c.Bucket, f.Bucket.Name, old.Bucket.Name)
	differs(&c.Region, f.Bucket.Region, old.Bucket.Region)
	differs(&c.AccessKey, f.Bucket.AccessKey, old.Bucket.AccessKey)
	differs(&c.SecretKey, f.Secrets.SecretKey, "")
	if differs(&c.Endpoint, f.Bucket.Endpoint, old.Bucket.Endpoint); c.Endpoint != nil {
		c.PathStyle = &f.Bucket.PathStyle
	}
	differs(&c.Host, f.Host.Name, old.Host.Name)
	differs(&c.User, f.Host.User, old.Host.User)
	differs(&c.HostKey, f.Host.HostKey, old.Host.HostKey)
	if f.Host.Port != old.Host.Port {
		c.Port = &f.Host.Port
	}
	differs(&c.Password, f.Secrets.Password, "")
	differs(&c.PrivateKey, f.Secrets.PrivateKey, "")
	differs(&c.Passphrase, f.Secrets.Passphrase, "")
	return c
}

// labelled writes what the messages of the API name in the words of the form.
var labelled = strings.NewReplacer(
	"send one of these fingerprints as host_key", "enter one of these fingerprints as the host key",
	"send the new one; otherwise", "enter the new one; otherwise",
	"send it as passphrase", "enter it as the passphrase of the key",
	"must be missing beside a private_key", "must be empty if there is a private key",
	"is required, or private_key in its place", "is required, or a private key in its place",
	"password or private_key", "password or the private key",
	"or missing for Amazon S3", "or empty for Amazon S3",
	"to change the endpoint or the access key id", "to change the server or the access key ID",
	"access key id", "access key ID", "private_key", "private key", "host_key", "host key", "endpoint", "server",
)

// DestinationFaults names the errors of a destination by the fields of the form, in its words.
func DestinationFaults(faults map[string]string) map[string]string {
	named := make(map[string]string, len(faults))
	for field, message := range faults {
		subject := map[string]string{"": "", "s3": "The bucket ", "sftp": "The server "}
		start, whole := subject[field]
		if !whole {
			start = "This "
		}
		if message = start + labelled.Replace(message); !strings.HasSuffix(message, ".") {
			message += "."
		}
		if field = strings.ReplaceAll(field, ".", "-"); whole {
			field = ""
		}
		named[field] = message
	}
	return named
}

// DestinationPath returns the address of something of a destination.
func DestinationPath(ctx context.Context, d id.Destination, rest string) string {
	return ViewerOf(ctx).Path("/destinations/" + d.String() + rest)
}

// destinationOptions are the lines of the menu of destinations.
func destinationOptions(all []destination.Destination, chosen string) []option {
	options := []option{{Label: "nowhere: download it here"}}
	for _, d := range all {
		options = append(options, option{Value: d.ID.String(), Label: d.Name})
	}
	return choose(options, chosen, "a destination that was deleted")
}

// folder says in which folder of a destination files arrive.
func folder(d destination.Destination) string { return cmp.Or(d.Prefix, "the top folder") }

// deliveryText says how far a delivery is, and its colour class.
func deliveryText(s delivery.State) (text, tone string) {
	switch s {
	case delivery.Delivered:
		return "delivered", "good"
	case delivery.Failed:
		return "not delivered", "bad"
	case delivery.Pending:
	}
	return "being delivered", "info"
}
