package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/opencapi/capi/internal/config"
)

func TestDeploymentFilesNameSettingsThatExist(t *testing.T) {
	t.Parallel()
	var files []string
	require.NoError(t, filepath.WalkDir("../../deploy", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, "_test.go") {
			files = append(files, path)
		}
		return err
	}))
	named := 0
	for _, file := range append(files, "../../docs/guide/self-hosting.md", "../../docs/metrics.md", "../../README.md") {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`\bCAPI_[A-Z_]+\b`).FindAllString(string(content), -1) {
			key := strings.ToLower(strings.TrimPrefix(name, "CAPI_"))
			// CAPI_KEY is a variable of the shell that starts Compose, which makes it a secret.
			require.True(t, name == "CAPI_CONFIG" || name == "CAPI_KEY" || slices.Contains(config.Keys(), key), "%s: %s", file, name)
			named++
		}
		for _, flags := range regexp.MustCompile(`capi serve((?: --[a-z-]+ \S+)+)`).FindAllStringSubmatch(string(content), -1) {
			for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(flags[1], -1) {
				require.Contains(t, append(config.Keys(), "help"), strings.ReplaceAll(flag[1], "-", "_"), file)
				named++
			}
		}
	}
	require.Greater(t, named, 10)
}

func TestTheComposeFileIsValid(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../deploy/compose.yaml")
	require.NoError(t, err)
	var c struct {
		Services map[string]struct {
			Environment map[string]string
			Volumes     []string
		}
		Volumes map[string]any
	}
	require.NoError(t, yaml.Unmarshal(content, &c))
	require.Contains(t, c.Services["capi"].Volumes, "data:/data")
	for name, service := range c.Services {
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			require.Contains(t, c.Volumes, source, name)
		}
	}
}
