package docsite

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"path"
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
	".json": "application/json",
}

// searchFile is the name of the search index among the assets.
const searchFile = "search.json"

// readAssets returns the files of the folder assets, and the search index.
func readAssets(index []byte) (map[string]asset, error) {
	packed, err := pack(index)
	if err != nil {
		return nil, err
	}
	assets := map[string]asset{searchFile: newAsset(searchFile, packed)}
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
