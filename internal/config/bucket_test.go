package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func TestFilesNamesTheDataDirectoryOrABucket(t *testing.T) {
	t.Parallel()
	for files, want := range map[string]*config.Bucket{
		"":                       nil,
		"file":                   nil,
		"s3://exports":           {Name: "exports"},
		"s3://exports/":          {Name: "exports"},
		"s3://exports/a/b/":      {Name: "exports", Prefix: "a/b"},
		"s3://x.y-1?region=eu-1": {Name: "x.y-1", Region: "eu-1"},
		"s3://exports/p?endpoint=http://127.0.0.1:9000&path_style=true&public_endpoint=https%3A%2F%2Fs3.example.com": {
			Name: "exports", Prefix: "p", Endpoint: "http://127.0.0.1:9000", PathStyle: true, PublicEndpoint: "https://s3.example.com",
		},
	} {
		c := valid()
		c.Files = files
		require.NoError(t, c.Validate(), files)
		require.Equal(t, want, c.Bucket(), files)
	}
}

func TestFilesThatNameNoBucketAreRefused(t *testing.T) {
	t.Parallel()
	for files, problem := range map[string]string{
		"exports":                          "must be file or a URL",
		"gs://exports":                     "must be file or a URL",
		"s3://":                            `"" is not the name of a bucket`,
		"s3://Exports":                     `"Exports" is not the name of a bucket`,
		"s3://key:hunter2@exports":         "must not contain credentials",
		"s3://exports/a//b":                `the prefix "a//b" has an empty part`,
		"s3://exports?endpont=http://x":    "there is no option endpont; use endpoint, public_endpoint, region, path_style",
		"s3://exports?region=a&region=b":   "region is given 2 times",
		"s3://exports?endpoint=127.0.0.1":  `endpoint: "127.0.0.1" is not a URL`,
		"s3://exports?public_endpoint=a b": `public_endpoint: "a b" is not a URL`,
		"s3://exports?path_style=perhaps":  `path_style: "perhaps" is neither true nor false`,
		"s3://exports?region=%zz":          "percent-encode",
	} {
		c := valid()
		c.Files = files
		err := c.Validate()
		require.ErrorContains(t, err, "--files: ", files)
		require.ErrorContains(t, err, problem, files)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
