// Package config declares the settings of the program, reads capi.toml and validates them. It builds nothing from them.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/ratelimit"
)

// Config holds all settings. The tags of a field declare its flag: name, default, environment variable, help. The key in
// capi.toml is the name with "_" for "-".
type Config struct {
	Storage
	Logging
	Server
}

// Storage are the settings of where data is stored.
type Storage struct {
	Data    string `name:"data" default:"capi-data" env:"CAPI_DATA" placeholder:"DIR" help:"Directory for the database, the export files and their signing key (default ${default})."`
	DB      string `name:"db" default:"sqlite" env:"CAPI_DB" placeholder:"URL" help:"Database: sqlite (a file in the data directory), or a postgres:// URL (default ${default})."`
	Files   string `name:"files" default:"file" env:"CAPI_FILES" placeholder:"URL" help:"Where export files are stored: file (in the data directory), or a bucket such as s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-1&path_style=true (default ${default})."`
	KeyFile string `name:"key-file" env:"CAPI_KEY_FILE" placeholder:"FILE" help:"File with the key that signs download links and encrypts secrets, made if it does not exist. All servers of one database need the same (default: links.key in the data directory)."`
}

// KeyPath returns the path of the key that signs links and encrypts secrets.
func (s Storage) KeyPath() string { return cmp.Or(s.KeyFile, filepath.Join(s.Data, "links.key")) }

// Logging are the settings of the log on standard error.
type Logging struct {
	LogLevel  string `name:"log-level" default:"info" env:"CAPI_LOG_LEVEL" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Lowest level to log: debug, info, warn or error (default ${default})."`
	LogFormat string `name:"log-format" default:"text" env:"CAPI_LOG_FORMAT" enum:"text,json" placeholder:"FORMAT" help:"Format of log lines: text or json (default ${default})."`
}

// Server are the settings of the server.
type Server struct {
	Addr             string `name:"addr" default:"127.0.0.1:8080" env:"CAPI_ADDR" placeholder:"HOST:PORT" help:"Address to listen on; :8080 means all interfaces, port 0 any free port (default ${default})."`
	PublicURL        string `name:"public-url" env:"CAPI_PUBLIC_URL" placeholder:"URL" help:"Address at which clients reach the server, such as https://api.example.com, for links and cookies; required unless --addr is on this machine only (default: http:// and --addr)."`
	TrustedProxies   string `name:"trusted-proxies" env:"CAPI_TRUSTED_PROXIES" placeholder:"ADDRESSES" help:"Addresses or networks of your reverse proxies, such as 127.0.0.1,10.0.0.0/8, whose X-Forwarded-For header is believed (default: none)."`
	RateLimits       string `name:"rate-limits" env:"CAPI_RATE_LIMITS" placeholder:"LIMITS" help:"Overrides of rate limits, such as exports.create=50/min,credits.get=off; off disables all of them."`
	MetricsAddr      string `name:"metrics-addr" env:"CAPI_METRICS_ADDR" placeholder:"HOST:PORT" help:"Address to serve /metrics on, such as 127.0.0.1:9464; off disables it (default: that of the API)."`
	Workers          int    `name:"workers" default:"2" env:"CAPI_WORKERS" placeholder:"N" help:"Number of export files written in parallel (default ${default})."`
	WebhookAllow     string `name:"webhook-allow" env:"CAPI_WEBHOOK_ALLOW" placeholder:"ADDRESSES" help:"Addresses or networks, such as 10.0.0.0/8, that webhooks may have although they are private or loopback, also without TLS (default: none)."`
	DestinationAllow string `name:"destination-allow" env:"CAPI_DESTINATION_ALLOW" placeholder:"ADDRESSES" help:"Addresses or networks, such as 10.0.0.0/8, that destinations of exports may have although they are private or loopback, buckets also without TLS (default: none)."`
	UploadMax        string `name:"upload-max" default:"2GiB" env:"CAPI_UPLOAD_MAX" placeholder:"SIZE" help:"The most that operators may upload for one import in the console, such as 500MiB; off disables uploads (default ${default})."`
	VisibleFields    string `name:"visible-fields" default:"all" env:"CAPI_VISIBLE_FIELDS" placeholder:"FIELDS" help:"Fields shown of companies that a workspace does not own, such as domain,country,industries; each workspace can have its own (default ${default})."`
	SearchIndex      `embed:""`
	Retention        `embed:""`
	SignIn           `embed:""`
	Mail             `embed:""`
	Role             string        `name:"role" default:"all" enum:"all,api,worker" env:"CAPI_ROLE" placeholder:"ROLE" help:"What this server does: all; api, to answer requests and write no files; worker, to write files and send emails and answer no requests (default ${default})."`
	ShutdownDelay    time.Duration `name:"shutdown-delay" default:"0s" env:"CAPI_SHUTDOWN_DELAY" placeholder:"TIME" help:"How long a stopping server still answers, while /readyz says that it is not ready, so that load balancers turn to others (default ${default})."`
	DrainTimeout     time.Duration `name:"drain-timeout" default:"25s" env:"CAPI_DRAIN_TIMEOUT" placeholder:"TIME" help:"How long requests and jobs may take to finish when the server stops (default ${default})."`
}

// SignIn are the settings of an OpenID provider for signing in to the console, in addition to passwords.
type SignIn struct {
	OIDCIssuer       string `name:"oidc-issuer" env:"CAPI_OIDC_ISSUER" placeholder:"URL" help:"OpenID provider for signing in to the console, such as https://accounts.example.com (default: passwords only)."`
	OIDCClientID     string `name:"oidc-client-id" env:"CAPI_OIDC_CLIENT_ID" placeholder:"ID" help:"Client ID of this server at the OpenID provider."`
	OIDCClientSecret string `name:"oidc-client-secret" env:"CAPI_OIDC_CLIENT_SECRET" placeholder:"SECRET" help:"Client secret of this server at the OpenID provider; set it in the environment, not as a flag."`
	OIDCName         string `name:"oidc-name" env:"CAPI_OIDC_NAME" placeholder:"NAME" help:"Name of the OpenID provider on the sign-in button (default: single sign-on)."`
	OIDCDomains      string `name:"oidc-domains" env:"CAPI_OIDC_DOMAINS" placeholder:"DOMAINS" help:"Email domains, separated by commas, whose people may sign in through the OpenID provider without an invitation (default: none)."`
}

// Domains returns the domains in OIDCDomains, in lower case.
func (s SignIn) Domains() []string {
	return strings.FieldsFunc(strings.ToLower(s.OIDCDomains), func(r rune) bool { return r == ',' || r == ' ' })
}

func (s SignIn) check() (errs []error) {
	if s.OIDCIssuer == "" {
		return nil
	}
	if !isBaseURL(s.OIDCIssuer) {
		errs = append(errs, &Error{"oidc-issuer", fmt.Sprintf("%q is not a URL such as https://accounts.example.com", s.OIDCIssuer)})
	}
	if s.OIDCClientID == "" {
		errs = append(errs, &Error{"oidc-client-id", "is required with --oidc-issuer"})
	}
	for _, domain := range s.Domains() {
		if strings.ContainsAny(domain, "@/*") || !strings.Contains(domain, ".") {
			errs = append(errs, &Error{"oidc-domains", fmt.Sprintf("%q is not a domain such as example.com", domain)})
		}
	}
	return errs
}

const workersMax = 64

// MetricsOff is the value of MetricsAddr that disables /metrics.
const MetricsOff = "off"

// Error is an invalid setting.
type Error struct {
	Setting string // the flag's name without dashes
	Message string
}

func (e *Error) Error() string { return "--" + e.Setting + ": " + e.Message }

// Validate returns an *Error for each invalid setting, joined.
func (c Config) Validate() error {
	return errors.Join(c.Storage.check(), c.Server.check(), c.checkRole())
}

// The values of Role.
const (
	RoleAll    = "all"
	RoleAPI    = "api"
	RoleWorker = "worker"
)

// checkRole refuses a part of the work where nobody else can do the rest.
func (c Config) checkRole() error {
	if c.Role != "" && c.Role != RoleAll && c.Postgres() == "" {
		return &Error{"role", fmt.Sprintf("%q needs PostgreSQL: a SQLite database has one server, which must do everything; leave --role out, or set --db", c.Role)}
	}
	return nil
}

// ValidateStorage is Validate for commands that open the data and serve nothing.
func (c Config) ValidateStorage() error { return c.Storage.check() }

func (s Storage) check() error {
	var errs []error
	if strings.TrimSpace(s.Data) == "" {
		errs = append(errs, &Error{"data", "must name a directory"})
	}
	if _, err := s.backEnd(); err != nil {
		errs = append(errs, err)
	}
	if _, err := parseFiles(s.Files); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Postgres returns the URL of the PostgreSQL database; empty if the database is SQLite.
func (s Storage) Postgres() string {
	if backEnd, err := s.backEnd(); err != nil || backEnd == "sqlite" {
		return ""
	}
	return s.DB
}

func (s Storage) backEnd() (string, error) {
	if s.DB == "sqlite" {
		return "sqlite", nil
	}
	scheme, _, _ := strings.Cut(s.DB, "://")
	if scheme == "postgres" || scheme == "postgresql" {
		if _, err := url.Parse(s.DB); err != nil {
			return "", &Error{"db", "the URL is invalid; percent-encode special characters in the password"}
		}
		return "postgres", nil
	}
	// The value may contain a password, so the message does not repeat it.
	return "", &Error{"db", "must be sqlite or a postgres:// URL"}
}

// SQLiteFile returns the path of the SQLite database.
func (s Storage) SQLiteFile() string { return filepath.Join(s.Data, "capi.db") }

func (s Server) check() error {
	var errs []error
	add := func(setting, format string, args ...any) {
		errs = append(errs, &Error{setting, fmt.Sprintf(format, args...)})
	}
	if _, port, err := net.SplitHostPort(s.Addr); err != nil || !isPort(port) {
		add("addr", "%q is not HOST:PORT, such as 127.0.0.1:8080", s.Addr)
	}
	if _, port, err := net.SplitHostPort(s.MetricsAddr); s.MetricsAddr != "" && s.MetricsAddr != MetricsOff && (err != nil || !isPort(port)) {
		add("metrics-addr", "%q is not HOST:PORT, such as 127.0.0.1:9464, or off", s.MetricsAddr)
	}
	if s.PublicURL == "" && !isLoopback(s.Addr) {
		add("public-url", "is required because %s can be reached from other machines; set it to the address that people and clients "+
			"use, such as https://api.example.com, or listen on this machine only with --addr 127.0.0.1:8080", s.Addr)
	}
	if s.PublicURL != "" && !isBaseURL(s.PublicURL) {
		add("public-url", "%q is not a URL without query and fragment, such as https://api.example.com", s.PublicURL)
	}
	if _, err := parseAddresses(s.TrustedProxies); err != nil {
		add("trusted-proxies", "%v", err)
	}
	if _, err := parseAddresses(s.WebhookAllow); err != nil {
		add("webhook-allow", "%v", err)
	}
	if _, err := parseAddresses(s.DestinationAllow); err != nil {
		add("destination-allow", "%v", err)
	}
	if _, err := ratelimit.Parse(s.RateLimits); err != nil {
		add("rate-limits", "%v", err)
	}
	if s.Workers < 1 || s.Workers > workersMax {
		add("workers", "%d is not a number from 1 to %d", s.Workers, workersMax)
	}
	if _, err := parseSize(s.UploadMax); err != nil {
		add("upload-max", "%q is not a size such as 500MiB or 2GiB, or off", s.UploadMax)
	}
	if _, err := parseFields(s.VisibleFields); err != nil {
		add("visible-fields", "%v", err)
	}
	if s.ShutdownDelay < 0 {
		add("shutdown-delay", "%s is negative", s.ShutdownDelay)
	}
	if s.DrainTimeout < 0 {
		add("drain-timeout", "%s is negative", s.DrainTimeout)
	}
	return errors.Join(slices.Concat(errs, s.SearchIndex.check(), s.Retention.check(), s.SignIn.check(), s.Mail.check())...)
}

// UploadBytesMax returns UploadMax in bytes; 0 if it is off or invalid.
func (s Server) UploadBytesMax() int64 {
	n, _ := parseSize(s.UploadMax)
	return n
}

// parseSize reads a size such as 500MiB. The empty text and off are 0.
func parseSize(text string) (int64, error) {
	if text == "" || text == "off" {
		return 0, nil
	}
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 20)
			if err == nil && n == 0 {
				err = strconv.ErrRange
			}
			return int64(n) << (10 * (i + 1)), err
		}
	}
	return 0, strconv.ErrSyntax
}

// Visible returns the names in VisibleFields, which must be valid; none stand for all fields.
func (s Server) Visible() []string {
	names, err := parseFields(s.VisibleFields)
	if err != nil {
		panic(err) // Validate has accepted them
	}
	return names
}

func parseFields(list string) ([]string, error) {
	names := company.SplitFields(list)
	if len(names) == 0 && strings.TrimSpace(list) == "" {
		return nil, nil
	}
	return company.ParseVisible(names)
}

// Proxies returns the networks in TrustedProxies, which must be valid.
func (s Server) Proxies() []netip.Prefix {
	proxies, err := parseAddresses(s.TrustedProxies)
	if err != nil {
		panic(err) // Validate has accepted them
	}
	return proxies
}

// ValidateWebhooks returns an *Error if WebhookAllow cannot be read.
func (s Server) ValidateWebhooks() error {
	if _, err := parseAddresses(s.WebhookAllow); err != nil {
		return &Error{Setting: "webhook-allow", Message: err.Error()}
	}
	return nil
}

// ValidateDestinations returns an *Error if DestinationAllow cannot be read.
func (s Server) ValidateDestinations() error {
	if _, err := parseAddresses(s.DestinationAllow); err != nil {
		return &Error{Setting: "destination-allow", Message: err.Error()}
	}
	return nil
}

// WebhookRanges returns the addresses in WebhookAllow, which must be valid.
func (s Server) WebhookRanges() []netip.Prefix { return ranges(s.WebhookAllow) }

// DestinationRanges returns the addresses in DestinationAllow, which must be valid.
func (s Server) DestinationRanges() []netip.Prefix { return ranges(s.DestinationAllow) }

func ranges(list string) []netip.Prefix {
	ranges, err := parseAddresses(list)
	if err != nil {
		panic(err) // Validate has accepted them
	}
	return ranges
}

func parseAddresses(list string) (ranges []netip.Prefix, err error) {
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("%q is neither an address such as 127.0.0.1 nor a network such as 10.0.0.0/8", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		ranges = append(ranges, p.Masked())
	}
	return ranges, nil
}

// isLoopback reports whether only this machine can reach the address. An address that is not HOST:PORT has an error of its own.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err != nil || host == "localhost" || ip != nil && ip.IsLoopback()
}

func isPort(s string) bool {
	if s == "" {
		return false
	}
	_, err := net.LookupPort("tcp", s)
	return err == nil
}

func isBaseURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
}
