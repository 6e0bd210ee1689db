package docsite

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"path"

	swagger "github.com/swaggest/swgui/v5/static"
)

//go:embed assets
var ownAssets embed.FS

// asset is a static file, compressed with gzip.
type asset struct {
	contentType string
	version     string
	packed      []byte
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func readAssets() (map[string]asset, error) {
	assets := map[string]asset{}
	own, err := ownAssets.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	for _, file := range own {
		content, err := ownAssets.ReadFile("assets/" + file.Name())
		if err != nil {
			return nil, err
		}
		packed, err := pack(content)
		if err != nil {
			return nil, err
		}
		assets[file.Name()] = newAsset(file.Name(), packed)
	}
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		packed, err := swagger.FS.ReadFile(name + ".gz")
		if err != nil {
			return nil, fmt.Errorf("read Swagger UI: %w", err)
		}
		assets[name] = newAsset(name, packed)
	}
	return assets, nil
}

func newAsset(name string, packed []byte) asset {
	sum := sha256.Sum256(packed)
	return asset{contentType: contentTypes[path.Ext(name)], version: hex.EncodeToString(sum[:6]), packed: packed}
}

func pack(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

func (a asset) unpacked() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(a.packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
