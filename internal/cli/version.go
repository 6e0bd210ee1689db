package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{ jsonFlag }

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Run prints what the binary was built from.
func (c *versionCommand) Run(s *session) error {
	v := version()
	if c.JSON {
		return s.printJSON(v)
	}
	s.printf("capi %s (%s, %s/%s)\n", v.Version, v.Go, runtime.GOOS, runtime.GOARCH)
	return nil
}

func version() versionInfo {
	v := versionInfo{Version: "devel", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "(devel)" {
		v.Version = cmp.Or(info.Main.Version, v.Version)
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	return v
}
