package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func valid() config.Config {
	return config.Config{
		Storage: config.Storage{Data: "capi-data", DB: "sqlite"},
		Server:  config.Server{Addr: "127.0.0.1:8080", Workers: 2, DrainTimeout: time.Second},
	}
}

func TestValidateReportsEveryErrorAtOnce(t *testing.T) {
	t.Parallel()
	require.NoError(t, valid().Validate())

	c := config.Config{
		Storage: config.Storage{Data: " ", DB: "mysql://root:hunter2@localhost/capi"},
		Server: config.Server{
			Addr: "8080", MetricsAddr: "on", PublicURL: "api.example.com", RateLimits: "exports.create=many", Workers: 0, UploadMax: "much", VisibleFields: "domian", DrainTimeout: -1,
		},
	}
	err := c.Validate()
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 10, "%v", err)
	for i, setting := range []string{"data", "db", "addr", "metrics-addr", "public-url", "rate-limits", "workers", "upload-max", "visible-fields", "drain-timeout"} {
		require.Contains(t, lines[i], "--"+setting+": ")
	}
	require.NotContains(t, err.Error(), "hunter2", "a password must not reach a log")
}

func TestTheLimitOfUploadsIsASize(t *testing.T) {
	t.Parallel()
	for text, bytes := range map[string]int64{"2GiB": 2 << 30, "500MiB": 500 << 20, "64 KiB": 64 << 10, "off": 0, "": 0} {
		c := valid()
		c.UploadMax = text
		require.NoError(t, c.Validate(), text)
		require.Equal(t, bytes, c.UploadBytesMax(), text)
	}
	for _, text := range []string{"0MiB", "2GB", "-1GiB", "GiB", "99999999TiB", "1.5GiB"} {
		c := valid()
		c.UploadMax = text
		require.ErrorContains(t, c.Validate(), "--upload-max: ", text)
	}
}

func TestValidAddressesAndDatabasesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":8080", "localhost:0", "[::1]:80", "0.0.0.0:http"} {
		c := valid()
		c.Addr, c.PublicURL = addr, "https://api.example.com"
		require.NoError(t, c.Validate(), addr)
	}
	for _, addr := range []string{"", "8080", "localhost", "localhost:", "localhost:notaport", "::1:80:"} {
		c := valid()
		c.Addr = addr
		require.Error(t, c.Validate(), addr)
	}
	c := valid()
	require.Empty(t, c.Postgres())
	c.DB = "postgres://capi@db/capi"
	require.NoError(t, c.Validate())
	require.Equal(t, c.DB, c.Postgres())
}

// Otherwise links would have to be built from the Host header, which anyone can choose.
func TestAServerThatOthersCanReachNeedsItsPublicURL(t *testing.T) {
	t.Parallel()
	for addr, needed := range map[string]bool{
		"127.0.0.1:8080": false, "localhost:8080": false, "[::1]:0": false, "127.8.0.1:80": false,
		":8080": true, "0.0.0.0:80": true, "[::]:80": true, "192.168.1.5:80": true, "api.example.com:80": true, "10.0.0.1:443": true,
	} {
		t.Run(addr, func(t *testing.T) {
			t.Parallel()
			c := valid()
			c.Addr = addr
			if err := c.Validate(); needed {
				require.ErrorContains(t, err, "--public-url: is required because "+addr+" can be reached from other machines")
			} else {
				require.NoError(t, err)
			}
			c.PublicURL = "https://api.example.com"
			require.NoError(t, c.Validate())
		})
	}
}

func TestUnknownKeysAreReportedWithTheNearestKnownKey(t *testing.T) {
	t.Parallel()
	path := write(t, "adr = \":80\"\nworkrs = 3\n[limits]\nx = 1\n")
	_, err := config.ReadFile(path)
	require.ErrorContains(t, err, "adr: no such setting; did you mean addr?")
	require.ErrorContains(t, err, "workrs: no such setting; did you mean workers?")
	require.ErrorContains(t, err, "limits: ")
	require.ErrorContains(t, err, path)
}

func TestASyntaxErrorIsReportedWithItsPosition(t *testing.T) {
	t.Parallel()
	_, err := config.ReadFile(write(t, "addr = \":80\"\ndata = x\n"))
	require.ErrorContains(t, err, "line 2")
}

func TestANamedConfigFileMustExist(t *testing.T) {
	t.Parallel()
	_, err := config.ReadFile(filepath.Join(t.TempDir(), "none.toml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTheExampleFileHasEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	values, err := config.ReadFile("../../deploy/capi.example.toml")
	require.NoError(t, err)
	for _, key := range config.Keys() {
		name := strings.ReplaceAll(key, "_", "-")
		got, ok := values[name]
		require.True(t, ok, "%s is missing", key)
		require.Equal(t, config.Default(name), got, key)
	}
	require.Len(t, values, len(config.Keys()))
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capi.toml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
