package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func TestIndexNamesTheDataDirectoryOrOpenSearch(t *testing.T) {
	t.Parallel()
	for index, want := range map[string]*config.OpenSearch{
		"":                                 nil,
		"embedded":                         nil,
		"opensearch://127.0.0.1:9201/capi": {Addresses: []string{"http://127.0.0.1:9201"}, Name: "capi", Shards: 1},
		"opensearch://search/capi/":        {Addresses: []string{"http://search:9200"}, Name: "capi", Shards: 1},
		"opensearch://[::1]:9201/capi":     {Addresses: []string{"http://[::1]:9201"}, Name: "capi", Shards: 1},
		"opensearchs://a:1,b:2,c/my_index-2?shards=3&replicas=2": {
			Addresses: []string{"https://a:1", "https://b:2", "https://c:9200"}, Name: "my_index-2", Shards: 3, Replicas: 2, TLS: true,
		},
	} {
		c := valid()
		c.Index = index
		require.NoError(t, c.Validate(), index)
		require.Equal(t, want, c.OpenSearch(), index)
	}
}

func TestIndexesThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for index, problem := range map[string]string{
		"companies":                                      "must be embedded or a URL",
		"https://search:9200/capi":                       "must be embedded or a URL",
		"opensearch://search:9200":                       "lacks the name of the index",
		"opensearch://search:9200/":                      "lacks the name of the index",
		"opensearch:///capi":                             `"" is not HOST:PORT`,
		"opensearch://a:9200,/capi":                      `"" is not HOST:PORT`,
		"opensearch://a:90210/capi":                      `"a:90210" is not HOST:PORT`,
		"opensearch://::1/capi":                          `"::1" is not HOST:PORT`,
		"opensearch://me:hunter2@search/capi":            "must not contain credentials; set CAPI_INDEX_USER",
		"opensearch://search/Capi":                       `"Capi" is not a name of an index`,
		"opensearch://search/_all":                       `"_all" is not a name of an index`,
		"opensearch://search/a*":                         `"a*" is not a name of an index`,
		"opensearch://search/capi?replica=1":             "there is no option replica; use shards, replicas",
		"opensearch://search/capi?shards=0":              `shards: "0" is not a number from 1 to 64`,
		"opensearch://search/capi?replicas=many":         `replicas: "many" is not a number from 0 to 64`,
		"opensearch://search/capi?replicas=1&replicas=2": "replicas is given 2 times",
		"opensearch://search/capi?shards=%zz":            "percent-encode",
	} {
		c := valid()
		c.Index = index
		err := c.Validate()
		require.ErrorContains(t, err, "--index: ", index)
		require.ErrorContains(t, err, problem, index)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestSettingsOfOpenSearch(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("from a file\n"), 0o600))
	good := config.SearchIndex{
		Index: "opensearchs://search/capi", IndexUser: "capi", IndexPasswordFile: file,
		IndexCAFile: file, IndexCertFile: file, IndexKeyFile: file,
	}
	require.NoError(t, good.ValidateIndex())
	password, err := good.Password()
	require.NoError(t, err)
	require.Equal(t, "from a file", password)
	for setting, change := range map[string]func(*config.SearchIndex){
		"index":               func(s *config.SearchIndex) { s.Index = "embedded" },
		"index-user":          func(s *config.SearchIndex) { s.IndexUser = "" },
		"index-password":      func(s *config.SearchIndex) { s.IndexPasswordFile = "" },
		"index-password-file": func(s *config.SearchIndex) { s.IndexPassword = "twice" },
		"index-ca-file":       func(s *config.SearchIndex) { s.IndexCAFile += "x" },
		"index-cert-file":     func(s *config.SearchIndex) { s.IndexCertFile = "" },
		"index-key-file":      func(s *config.SearchIndex) { s.Index = "opensearch://search/capi" },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.ValidateIndex(), "--"+setting+": ", setting)
	}
}
