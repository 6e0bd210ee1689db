package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SearchIndex are the settings of where the search index is, and how the server gets in there.
type SearchIndex struct {
	Index             string `name:"index" default:"embedded" env:"CAPI_INDEX" placeholder:"URL" help:"Search index: embedded (in the data directory), or one in OpenSearch, such as opensearch://search1:9200,search2:9200/companies?shards=1&replicas=1; opensearchs:// with TLS (default ${default})."`
	IndexUser         string `name:"index-user" env:"CAPI_INDEX_USER" placeholder:"NAME" help:"User at OpenSearch (default: no authentication)."`
	IndexPassword     string `name:"index-password" env:"CAPI_INDEX_PASSWORD" placeholder:"SECRET" help:"Password at OpenSearch; set it in the environment or a file, not as a flag."`
	IndexPasswordFile string `name:"index-password-file" env:"CAPI_INDEX_PASSWORD_FILE" placeholder:"FILE" help:"File with the password at OpenSearch."`
	IndexCAFile       string `name:"index-ca-file" env:"CAPI_INDEX_CA_FILE" placeholder:"FILE" help:"File with the certificates, in PEM, that OpenSearch is trusted by (default: those of the system)."`
	IndexCertFile     string `name:"index-cert-file" env:"CAPI_INDEX_CERT_FILE" placeholder:"FILE" help:"File with the certificate, in PEM, that this server shows to OpenSearch (default: none)."`
	IndexKeyFile      string `name:"index-key-file" env:"CAPI_INDEX_KEY_FILE" placeholder:"FILE" help:"File with the private key, in PEM, of --index-cert-file."`

	// Replace lets capi index rebuild replace an index of another catalog, or of the state before a backup was restored.
	Replace bool `kong:"-"`
}

// OpenSearch is where the index is if not in the data directory.
type OpenSearch struct {
	Addresses []string // URLs of nodes, such as https://search1:9200
	Name      string   // of the index
	Shards    int      // of an index that is created, at least 1
	Replicas  int      // of an index that is created
	TLS       bool
}

// indexEmbedded is the value of Index for the data directory.
const indexEmbedded = "embedded"

const (
	indexPort = "9200" // of an address without a port
	shardsMax = 64
)

// indexName is a part of what OpenSearch accepts as the name of an index.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

// OpenSearch returns the index in OpenSearch that Index names; nil if the index is in the data directory. Index must be valid.
func (s SearchIndex) OpenSearch() *OpenSearch {
	o, err := parseIndex(s.Index)
	if err != nil {
		panic(err) // Validate has accepted it
	}
	return o
}

func parseIndex(index string) (*OpenSearch, error) {
	if index == "" || index == indexEmbedded {
		return nil, nil //nolint:nilnil // no OpenSearch is no error
	}
	fail := func(format string, args ...any) error { return &Error{"index", fmt.Sprintf(format, args...)} }
	scheme, rest, _ := strings.Cut(index, "://")
	if scheme != "opensearch" && scheme != "opensearchs" {
		return nil, fail("must be embedded or a URL such as opensearch://search1:9200/companies")
	}
	o, protocol := &OpenSearch{Shards: 1, TLS: scheme == "opensearchs"}, "http://"
	if o.TLS {
		protocol = "https://"
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, name, _ := strings.Cut(rest, "/")
	if strings.Contains(hosts, "@") {
		return nil, fail("must not contain credentials; set CAPI_INDEX_USER and CAPI_INDEX_PASSWORD in the environment")
	}
	for address := range strings.SplitSeq(hosts, ",") {
		host, port, err := net.SplitHostPort(address)
		if err != nil && !strings.Contains(strings.Trim(address, "[]"), ":") {
			host, port, err = address, indexPort, nil
		}
		if err != nil || host == "" || strings.ContainsAny(host, " #?%") || !isPort(port) {
			return nil, fail("%q is not HOST:PORT, such as search1:9200; separate several with commas", address)
		}
		o.Addresses = append(o.Addresses, protocol+net.JoinHostPort(host, port))
	}
	if o.Name = strings.TrimSuffix(name, "/"); o.Name == "" {
		return nil, fail("lacks the name of the index, such as opensearch://%s/companies", hosts)
	}
	if !indexName.MatchString(o.Name) {
		return nil, fail("%q is not a name of an index: at most 100 lower-case letters, digits, hyphens and underscores, of which the first is a letter or a digit", o.Name)
	}
	return o, o.options(query)
}

// options reads the part of the URL after ?.
func (o *OpenSearch) options(query string) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return &Error{"index", "the part after ? is invalid; percent-encode special characters"}
	}
	known := []string{"shards", "replicas"}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return &Error{"index", fmt.Sprintf("there is no option %s; use %s", name, strings.Join(known, ", "))}
		}
		if len(values) > 1 {
			return &Error{"index", fmt.Sprintf("%s is given %d times", name, len(values))}
		}
	}
	for _, option := range []struct {
		name string
		to   *int
		min  int
	}{{"shards", &o.Shards, 1}, {"replicas", &o.Replicas, 0}} {
		text := q.Get(option.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < option.min || n > shardsMax {
			return &Error{"index", fmt.Sprintf("%s: %q is not a number from %d to %d", option.name, text, option.min, shardsMax)}
		}
		*option.to = n
	}
	return nil
}

// ValidateIndex returns an *Error for each invalid setting, joined. It reads the files that the settings name.
func (s SearchIndex) ValidateIndex() error { return errors.Join(s.check()...) }

func (s SearchIndex) check() (errs []error) {
	add := func(setting, format string, args ...any) {
		errs = append(errs, &Error{setting, fmt.Sprintf(format, args...)})
	}
	o, err := parseIndex(s.Index)
	if err != nil {
		return []error{err}
	}
	if o == nil {
		if s.IndexUser != "" || s.IndexPassword != "" || s.IndexPasswordFile != "" || s.IndexCAFile != "" || s.IndexCertFile != "" || s.IndexKeyFile != "" {
			add("index", "must name an index in OpenSearch, such as opensearchs://search1:9200/companies, if it has a user or certificates")
		}
		return errs
	}
	if s.IndexPassword != "" && s.IndexPasswordFile != "" {
		add("index-password-file", "cannot be used together with --index-password")
	}
	password, err := s.Password()
	switch {
	case err != nil:
		add("index-password-file", "%v", err)
	case s.IndexUser != "" && password == "":
		add("index-password", "is required with --index-user; set CAPI_INDEX_PASSWORD, or --index-password-file")
	case s.IndexUser == "" && password != "":
		add("index-user", "is required with a password")
	}
	for _, file := range []struct{ setting, path string }{
		{"index-ca-file", s.IndexCAFile}, {"index-cert-file", s.IndexCertFile}, {"index-key-file", s.IndexKeyFile},
	} {
		if file.path == "" {
			continue
		}
		if !o.TLS {
			add(file.setting, "is for connections with TLS; write opensearchs:// in --index")
		} else if _, err := os.ReadFile(file.path); err != nil {
			add(file.setting, "%v", err)
		}
	}
	if s.IndexCertFile == "" && s.IndexKeyFile != "" {
		add("index-cert-file", "is required with --index-key-file")
	}
	if s.IndexKeyFile == "" && s.IndexCertFile != "" {
		add("index-key-file", "is required with --index-cert-file")
	}
	return errs
}

// Password returns the password in IndexPassword or IndexPasswordFile, without the line end of the file.
func (s SearchIndex) Password() (string, error) { return secret(s.IndexPassword, s.IndexPasswordFile) }

// secret returns the value, or without one the content of the file, if there is one, without its line end.
func secret(value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
