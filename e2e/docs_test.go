package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// required reports whether CAPI_TEST_REQUIRE names the program, so that a test must not be skipped without it.
func required(program string) bool {
	return slices.Contains(strings.Split(os.Getenv("CAPI_TEST_REQUIRE"), ","), program)
}

// validatePostman reads a collection from its input, checks it against the published schema, and prints the errors.
const validatePostman = `
const { PostmanValidator } = require("@har-sdk/validator");
const collection = JSON.parse(require("node:fs").readFileSync(0));
new PostmanValidator().verify(collection).then((errors) => console.log(JSON.stringify(errors)));`

func TestThePostmanCollectionFollowsThePublishedSchema(t *testing.T) {
	node, npm := found("node"), found("npm")
	if node == "" || npm == "" {
		require.False(t, required("node"), "node or npm is required here, and missing")
		t.Skip("no node or npm found")
	}
	installModules(t, npm)
	v := newFixture(t, 0).serve(t)
	r, err := http.Get(v.url + "/docs/capi.postman_collection.json")
	require.NoError(t, err)
	defer r.Body.Close()
	require.Contains(t, r.Header.Get("Content-Disposition"), "attachment")
	published, err := io.ReadAll(r.Body)
	require.NoError(t, err)

	check := func(collection []byte) (errors []any) {
		cmd := exec.CommandContext(t.Context(), node, "-e", validatePostman)
		cmd.Dir = "browser"
		cmd.Stdin = strings.NewReader(string(collection))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%.1000s", out)
		require.NoError(t, json.Unmarshal(out, &errors), "%.1000s", out)
		return errors
	}
	require.Empty(t, check(published))
	broken := strings.Replace(string(published), `"mode": "raw"`, `"mode": "cooked"`, 1)
	require.NotEqual(t, string(published), broken)
	require.NotEmpty(t, check([]byte(broken)), "the schema refuses what is wrong")

	var c struct {
		Info struct{ Schema string }
		Item []struct {
			Item []struct{ Request struct{ Method string } }
		}
		Variable []struct{ Key, Value string }
	}
	require.NoError(t, json.Unmarshal(published, &c))
	require.Equal(t, "https://schema.getpostman.com/json/collection/v2.1.0/collection.json", c.Info.Schema)
	requests := 0
	for _, folder := range c.Item {
		requests += len(folder.Item)
	}
	require.Equal(t, 20, requests, "one for each operation")
	require.Equal(t, v.url+"/api/v1", c.Variable[0].Value)
}
