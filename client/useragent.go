package client

import (
	"cmp"
	"runtime/debug"
	"strings"
	"sync"
)

const modulePath = "github.com/opencapi/capi"

// userAgent returns capi-go/ and the version of this module in the running program, or devel if that is not known.
var userAgent = sync.OnceValue(func() string {
	var version string
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == modulePath {
				version = strings.Trim(m.Version, "()")
			}
		}
	}
	return "capi-go/" + cmp.Or(version, "devel")
})
