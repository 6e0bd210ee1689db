package view

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

//go:embed assets
var assetFiles embed.FS

// AssetsPath is where the assets are served, below BasePath.
const AssetsPath = "/assets/"

// assets are the embedded files by hashed name, so that browsers can cache them for ever; assetNames maps each name to its
// hashed name.
var assets, assetNames = hashAssets()

func hashAssets() (byHashed map[string][]byte, hashed map[string]string) {
	byHashed, hashed = map[string][]byte{}, map[string]string{}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		panic(err) // cannot happen: the files are embedded
	}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		ext := path.Ext(e.Name())
		if ext == ".css" || ext == ".js" {
			content = minified(ext, content)
		}
		sum := sha256.Sum256(content)
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		byHashed[name], hashed[e.Name()] = content, name
	}
	return byHashed, hashed
}

// minified returns the source of a script or a style sheet without what only people need: a page and its assets have a size
// limit.
func minified(ext string, source []byte) []byte {
	m := minify.New()
	m.AddFunc(".css", css.Minify)
	m.AddFunc(".js", js.Minify)
	out, err := m.Bytes(ext, source)
	if err != nil {
		panic(err) // cannot happen: the files are embedded, and a test reads them
	}
	return out
}

// Asset returns the address of an embedded file, such as console.css. It panics if there is no such file.
func Asset(name string) string {
	hashed, ok := assetNames[name]
	if !ok {
		panic("there is no asset " + name)
	}
	return BasePath + AssetsPath + hashed
}

// AssetContent returns the embedded file with the hashed name.
func AssetContent(name string) ([]byte, bool) {
	content, ok := assets[name]
	return content, ok
}
