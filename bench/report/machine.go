package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine tells of the machine that measured: cores, and where Linux tells it the load, which should be one or two: more
// is other work, that slows a long run more than a short one.
func Machine() string {
	text := fmt.Sprintf("%d cores", runtime.NumCPU())
	p, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(p)); err == nil && len(fields) > 1 {
		text += fmt.Sprintf(", load %s (1 minute), %s (5 minutes)", fields[0], fields[1])
	}
	return text
}
