package webhook

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

const urlLengthMax = 2000

// checkURL returns the address of a webhook in its usual spelling, and what is wrong with it; empty if nothing is. What a name resolves
// to is checked again whenever a request is sent.
func (w *Webhooks) checkURL(ctx context.Context, given string) (address, problem string) {
	u, err := url.Parse(given)
	switch {
	case len(given) > urlLengthMax:
		return given, fmt.Sprintf("must have at most %d characters", urlLengthMax)
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return given, "must be a URL such as https://example.com/hooks/capi"
	case u.User != nil:
		return given, "must not contain a user name or a password: everyone who sees the list of webhooks could read it; requests are signed instead"
	case strings.Contains(given, "#"):
		return given, "must not have a fragment (the part after #), because it is not sent"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return given, "has the port " + text.Short(port) + ", which is not a number from 1 to 65535"
		}
	}
	return usual(u), w.guard.CheckHost(ctx, u.Hostname(), w.guard.For(u.Scheme))
}

// usual returns the address as most would write it, so that two spellings of one address are the same webhook.
func usual(u *url.URL) string {
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), strings.TrimLeft(u.Port(), "0")
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.Unmap().String()
	}
	if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		port = ""
	}
	if port != "" {
		host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	usual := *u
	usual.Host, usual.ForceQuery, usual.RawQuery = host, false, escaped(u.RawQuery)
	if usual.Path == "" {
		usual.Path = "/"
	}
	return usual.String()
}

// escaped returns a query with escapes for what a request cannot have, such as spaces and letters that are not ASCII. The rest stays as it was
// given, because receivers may compare it.
func escaped(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c > '~' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func invalid(field, message string) error {
	return fault.Invalid(fault.FieldError{Field: field, Message: message})
}
