package view

import (
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

// assets are the embedded files, by their names with the hash of their content, so that they may be cached for good.
var assets, assetNames = hashAssets()

func hashAssets() (byHashed map[string][]byte, hashed map[string]string) {
	byHashed, hashed = map[string][]byte{}, map[string]string{}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		panic(err) // they are embedded
	}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		byHashed[name], hashed[e.Name()] = content, name
	}
	return byHashed, hashed
}

// Asset is the address of an embedded file, such as console.css.
func Asset(name string) string {
	hashed, ok := assetNames[name]
	if !ok {
		panic("there is no asset " + name)
	}
	return BasePath + AssetsPath + hashed
}

// AssetContent returns the embedded file of the name with its hash.
func AssetContent(name string) ([]byte, bool) {
	content, ok := assets[name]
	return content, ok
}
