package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine describes the measuring machine: its cores and, on Linux, its load, which should be one or two: more
// means other work, which slows long runs more than short ones.
func Machine() string {
	text := fmt.Sprintf("%d cores", runtime.NumCPU())
	p, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(p)); err == nil && len(fields) > 1 {
		text += fmt.Sprintf(", load %s (1 minute), %s (5 minutes)", fields[0], fields[1])
	}
	return text
}
