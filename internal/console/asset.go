package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assetFiles embed.FS

const assetsPath = "/assets/"

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

// asset is the address of an embedded file, such as console.css.
func asset(name string) string {
	hashed, ok := assetNames[name]
	if !ok {
		panic("there is no asset " + name)
	}
	return basePath + assetsPath + hashed
}

func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	content, ok := assets[name]
	if !ok {
		return noPage()
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return nil
}
