package diskspace

import (
	"fmt"

	"golang.org/x/sys/windows"
)

func of(dir string) (s Space, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(path, &s.FreeBytes, &s.TotalBytes, nil)
	}
	if err != nil {
		return Space{}, fmt.Errorf("measure disk space of %s: %w", dir, err)
	}
	return s, nil
}
