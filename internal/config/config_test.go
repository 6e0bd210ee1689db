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
			Addr: "8080", MetricsAddr: "on", PublicURL: "api.example.com", RateLimits: "exports.create=many", Workers: 0, DrainTimeout: -1,
		},
	}
	err := c.Validate()
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 8, "%v", err)
	for i, setting := range []string{"data", "db", "addr", "metrics-addr", "public-url", "rate-limits", "workers", "drain-timeout"} {
		require.Contains(t, lines[i], "--"+setting+": ")
	}
	require.NotContains(t, err.Error(), "hunter2", "a password must not reach a log")
}

func TestValidAddressesAndDatabasesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":8080", "localhost:0", "[::1]:80", "0.0.0.0:http"} {
		c := valid()
		c.Addr = addr
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
