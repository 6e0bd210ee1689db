package contender

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// AnonymousBytes returns a process's private memory without file pages, as Linux reports it; 0 on other systems.
func AnonymousBytes(pid int) int64 {
	p, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(p), "RssAnon:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib << 10
}

// ResidentBytes returns a process's resident memory, as Linux reports it; 0 on other systems.
func ResidentBytes(pid int) int64 {
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
