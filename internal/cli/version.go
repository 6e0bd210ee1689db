package cli

import (
	"cmp"
	_ "embed"
	"runtime"
	"runtime/debug"
)

type versionCommand struct {
	jsonFlag
	Licenses bool `help:"Print the licenses of the software in this program instead."`
}

// thirdPartyLicenses is written by scripts/licenses.sh.
//
//go:embed third_party_licenses.txt
var thirdPartyLicenses string

// Set by the linker (see the Makefile), for builds that do not record their version control.
var commit, committedAt string

type versionInfo struct {
	Version     string `json:"version"`
	Commit      string `json:"commit,omitempty"`
	CommittedAt string `json:"committed_at,omitempty"` // RFC 3339
	Go          string `json:"go"`
}

// Run prints what the binary was built from.
func (c *versionCommand) Run(s *session) error {
	v := version()
	if c.JSON {
		return s.printJSON(v)
	}
	if c.Licenses {
		s.printf("%s", thirdPartyLicenses)
		return nil
	}
	s.printf("capi %s (%s, %s/%s)\n", v.Version, v.Go, runtime.GOOS, runtime.GOARCH)
	if v.Commit != "" {
		s.printf("commit %s of %s\n", v.Commit, v.CommittedAt)
	}
	return nil
}

func version() versionInfo {
	v := versionInfo{Version: "devel", Commit: commit, CommittedAt: committedAt, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "(devel)" {
		v.Version = cmp.Or(info.Main.Version, v.Version)
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Commit = cmp.Or(v.Commit, setting.Value)
		case "vcs.time":
			v.CommittedAt = cmp.Or(v.CommittedAt, setting.Value)
		}
	}
	return v
}
