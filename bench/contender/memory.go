package contender

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// residentBytes reads what Linux tells of a process.
func residentBytes(pid int) int64 {
	p, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(p))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
