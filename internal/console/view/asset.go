package view

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
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
			content = unindent(content)
		}
		sum := sha256.Sum256(content)
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		byHashed[name], hashed[e.Name()] = content, name
	}
	return byHashed, hashed
}

// unindent removes indentation, blank lines and comment lines, which only people need: a page and its assets have a size limit.
// None of our scripts has a string over several lines.
func unindent(source []byte) []byte {
	out := make([]byte, 0, len(source))
	for line := range bytes.Lines(source) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && !bytes.HasPrefix(line, []byte("//")) {
			out = append(append(out, line...), '\n')
		}
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
