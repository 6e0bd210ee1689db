// Package reach decides which addresses the server may connect to when somebody else chooses the address, so that nobody reaches its
// own network through it. It knows no protocol.
//
// A name is checked when it is given, and the address of each connection again when it is made, after the name was resolved. So a name
// that changes its address gains nothing.
package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	resolveMax = 5 * time.Second
	connectMax = 10 * time.Second
	hostShown  = 80 // bytes of a host in a message
)

// azureHost answers questions about a virtual machine of Azure. It is the only such address that is not in a special range.
var azureHost = netip.MustParsePrefix("168.63.129.16/32")

// Options are the settings of a Guard.
type Options struct {
	// Allow are addresses that may be reached although they are private, loopback or otherwise not public, also without encryption.
	// Defaults to none.
	Allow []netip.Prefix

	// Setting is the setting by which operators allow addresses, for messages.
	Setting string

	// Resolve returns the addresses of a host. Defaults to net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Guard decides which addresses may be reached. Safe for concurrent use.
type Guard struct {
	options Options
	public  *ssrf.Guardian
}

// New returns a Guard.
func New(o Options) *Guard {
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &Guard{o, ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(azureHost))}
}

// Error is why nothing is sent to an address, for people to read.
type Error struct{ message string }

func (e *Error) Error() string { return e.message }

// Check returns an error unless an address may be reached.
type Check func(netip.Addr) error

// Encrypted returns an error unless the address is public or allowed by the operator.
func (g *Guard) Encrypted(a netip.Addr) error {
	if g.Plain(a) == nil || g.public.SafeAddr(a.Unmap()) == nil {
		return nil
	}
	return &Error{fmt.Sprintf("%s is a private, loopback, link-local or otherwise reserved address; the operator of the server can allow it with --%s", a, g.options.Setting)}
}

// Plain returns an error unless the operator has allowed the address: it may be reached without encryption.
func (g *Guard) Plain(a netip.Addr) error {
	for _, r := range g.options.Allow {
		if r.Contains(a.Unmap()) {
			return nil
		}
	}
	return &Error{fmt.Sprintf("use https: http is only for addresses that the operator of the server allows with --%s, and %s is not among them", g.options.Setting, a)}
}

// For returns the check for addresses with the scheme http or https.
func (g *Guard) For(scheme string) Check {
	if scheme == "http" {
		return g.Plain
	}
	return g.Encrypted
}

// Dial returns a function that connects to addresses that check accepts.
func (g *Guard) Dial(check Check) Dial {
	dialer := &net.Dialer{Timeout: connectMax, Control: func(network, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" {
			return errors.Join(err, &Error{"requests are sent over TCP only"})
		}
		return check(to.Addr().WithZone(""))
	}}
	return dialer.DialContext
}

// Client returns an HTTP client that dials as told, for requests of at most the given time; 0 is no limit. It follows no redirects and
// uses no proxy.
func Client(dial Dial, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSHandshakeTimeout: connectMax, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       timeout,
	}
}

// CheckHost returns what is wrong with a host, a name or an address; empty if nothing is.
func (g *Guard) CheckHost(ctx context.Context, host string, check Check) string {
	addresses := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, a)
	} else {
		ctx, cancel := context.WithTimeout(ctx, resolveMax)
		defer cancel()
		if addresses, err = g.options.Resolve(ctx, host); err != nil || len(addresses) == 0 {
			if len(host) > hostShown {
				host = strings.ToValidUTF8(host[:hostShown], "") + "…"
			}
			return "names the host " + host + ", which does not resolve to an address: check the spelling"
		}
	}
	for _, a := range addresses {
		if err := check(a.WithZone("")); err != nil {
			return "cannot be used; " + err.Error()
		}
	}
	return ""
}
