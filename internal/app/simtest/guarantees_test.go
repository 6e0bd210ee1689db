package simtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryGuaranteeNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "guarantees.md"))
	require.NoError(t, err)
	named := regexp.MustCompile("`([a-z0-9/]+): (Test[A-Za-z0-9]+)`").FindAllSubmatch(text, -1)
	require.Greater(t, len(named), 50)
	require.Len(t, named, strings.Count(string(text), ": Test")-1, "every name except the example has the form package: Test")
	for _, n := range named {
		folder, name := string(n[1]), string(n[2])
		require.True(t, declares(t, filepath.Join(root, folder), name), "%s has no %s", folder, name)
	}
}

// declares reports whether a test file in the folder declares the test.
func declares(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(content), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
