// Package config gathers the settings of the program, from defaults, capi.toml, the environment and flags, and checks
// them. It builds nothing from them.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/ratelimit"
)

// Config is every setting. A field's tags are its flag's: name, default, variable, help; the key in capi.toml is the
// name with "_" for "-".
type Config struct {
	Storage
	Logging
	Server
}

// Storage says where everything is kept.
type Storage struct {
	Data string `name:"data" default:"capi-data" env:"CAPI_DATA" placeholder:"DIR" help:"Directory of the database, the export files and their signing key (default ${default})."`
	DB   string `name:"db" default:"sqlite" env:"CAPI_DB" placeholder:"URL" help:"Database: sqlite (a file in the data directory), or a postgres:// URL (default ${default})."`
}

// Logging says what is logged to standard error.
type Logging struct {
	LogLevel  string `name:"log-level" default:"info" env:"CAPI_LOG_LEVEL" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Log from this level up: debug, info, warn, error (default ${default})."`
	LogFormat string `name:"log-format" default:"text" env:"CAPI_LOG_FORMAT" enum:"text,json" placeholder:"FORMAT" help:"Log lines as text or json (default ${default})."`
}

// Server says how the API is served.
type Server struct {
	Addr         string `name:"addr" default:"127.0.0.1:8080" env:"CAPI_ADDR" placeholder:"HOST:PORT" help:"Address to listen at; :8080 is every interface, port 0 any free port (default ${default})."`
	PublicURL    string `name:"public-url" env:"CAPI_PUBLIC_URL" placeholder:"URL" help:"Address under which clients reach the server, for download links (default: the one a request was sent to)."`
	RateLimits   string `name:"rate-limits" env:"CAPI_RATE_LIMITS" placeholder:"LIMITS" help:"Overrides of the rate limits, such as exports.create=50/min,credits.get=off; off switches all of them off."`
	MetricsAddr  string `name:"metrics-addr" env:"CAPI_METRICS_ADDR" placeholder:"HOST:PORT" help:"Address that serves /metrics, such as 127.0.0.1:9464; off for none (default: where the API is served)."`
	Workers      int    `name:"workers" default:"2" env:"CAPI_WORKERS" placeholder:"N" help:"Export files written at the same time (default ${default})."`
	SignIn       `embed:""`
	DrainTimeout time.Duration `name:"drain-timeout" default:"25s" env:"CAPI_DRAIN_TIMEOUT" placeholder:"TIME" help:"How long a stopping server lets requests and jobs finish (default ${default})."`
}

// SignIn says by which OpenID provider people may sign in to the console, besides by password.
type SignIn struct {
	OIDCIssuer       string `name:"oidc-issuer" env:"CAPI_OIDC_ISSUER" placeholder:"URL" help:"OpenID provider by which people sign in to the console, such as https://accounts.example.com (default: by password alone)."`
	OIDCClientID     string `name:"oidc-client-id" env:"CAPI_OIDC_CLIENT_ID" placeholder:"ID" help:"This server's id at the OpenID provider."`
	OIDCClientSecret string `name:"oidc-client-secret" env:"CAPI_OIDC_CLIENT_SECRET" placeholder:"SECRET" help:"This server's secret at the OpenID provider; better set by the environment than by a flag."`
	OIDCName         string `name:"oidc-name" env:"CAPI_OIDC_NAME" placeholder:"NAME" help:"What the button calls the OpenID provider (default: single sign-on)."`
	OIDCDomains      string `name:"oidc-domains" env:"CAPI_OIDC_DOMAINS" placeholder:"DOMAINS" help:"Domains of e-mails, by commas, whose people may sign in by the OpenID provider without an invitation (default: none)."`
}

// Domains are the domains of OIDCDomains, in lower case.
func (s SignIn) Domains() []string {
	return strings.FieldsFunc(strings.ToLower(s.OIDCDomains), func(r rune) bool { return r == ',' || r == ' ' })
}

func (s SignIn) check() (errs []error) {
	if s.OIDCIssuer == "" {
		return nil
	}
	if !isBaseURL(s.OIDCIssuer) {
		errs = append(errs, &Error{"oidc-issuer", fmt.Sprintf("%q is not a web address, such as https://accounts.example.com", s.OIDCIssuer)})
	}
	if s.OIDCClientID == "" {
		errs = append(errs, &Error{"oidc-client-id", "is needed with --oidc-issuer"})
	}
	for _, domain := range s.Domains() {
		if strings.ContainsAny(domain, "@/*") || !strings.Contains(domain, ".") {
			errs = append(errs, &Error{"oidc-domains", fmt.Sprintf("%q is not a domain, such as example.com", domain)})
		}
	}
	return errs
}

const workersMax = 64

// MetricsOff is the metrics' address of a server that shows none.
const MetricsOff = "off"

// Error is one setting that cannot be used.
type Error struct {
	Setting string // the flag's name without dashes
	Message string
}

func (e *Error) Error() string { return "--" + e.Setting + ": " + e.Message }

// Validate reports every setting that cannot be used, each as an *Error, joined.
func (c Config) Validate() error { return errors.Join(c.Storage.check(), c.Server.check()) }

// ValidateStorage is Validate for a program that opens the data and serves nothing.
func (c Config) ValidateStorage() error { return c.Storage.check() }

func (s Storage) check() error {
	var errs []error
	if strings.TrimSpace(s.Data) == "" {
		errs = append(errs, &Error{"data", "a directory is needed"})
	}
	if _, err := s.backEnd(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Postgres is the URL of the PostgreSQL database; empty if the database is SQLite.
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
			return "", &Error{"db", "the URL cannot be read; special characters in the password must be percent-encoded"}
		}
		return "postgres", nil
	}
	// The value may hold a password, so it is not repeated.
	return "", &Error{"db", "neither sqlite nor a postgres:// URL"}
}

// SQLiteFile is where the SQLite database lies.
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
		add("metrics-addr", "%q is neither HOST:PORT, such as 127.0.0.1:9464, nor off", s.MetricsAddr)
	}
	if s.PublicURL != "" && !isBaseURL(s.PublicURL) {
		add("public-url", "%q is not a web address without path parameters, such as https://api.example.com", s.PublicURL)
	}
	if _, err := ratelimit.Parse(s.RateLimits); err != nil {
		add("rate-limits", "%v", err)
	}
	if s.Workers < 1 || s.Workers > workersMax {
		add("workers", "%d is not a number from 1 to %d", s.Workers, workersMax)
	}
	if s.DrainTimeout < 0 {
		add("drain-timeout", "%s is negative", s.DrainTimeout)
	}
	return errors.Join(append(errs, s.SignIn.check()...)...)
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
