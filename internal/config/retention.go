package config

import (
	"fmt"
	"time"
)

// Retention are the settings of how long data stays that only takes space. All servers of one database need the same.
type Retention struct {
	KeepFiles   string `name:"keep-files" default:"forever" env:"CAPI_KEEP_FILES" placeholder:"TIME" help:"How long the file of an export stays after it was written or last downloaded, such as 90d. A deleted file is written again, for free, when somebody downloads it (default ${default})."`
	KeepRecords string `name:"keep-records" default:"0" env:"CAPI_KEEP_RECORDS" placeholder:"TIME" help:"How long the earlier data of changed companies stay, such as 90d, so that a file that is written again is the one that was bought. Without them it has the data of today (default ${default})."`
}

// keepFilesMin is the shortest KeepFiles. Shorter ones would delete files that are still being fetched.
const keepFilesMin = time.Hour

func (r Retention) check() (errs []error) {
	if d, err := parseKept(r.KeepFiles); err != nil || r.KeepFiles == "0" || d > 0 && d < keepFilesMin {
		errs = append(errs, &Error{"keep-files", fmt.Sprintf("%q is not a duration of at least an hour, such as 90d or 720h, or forever", r.KeepFiles)})
	}
	if _, err := parseKept(r.KeepRecords); err != nil || r.KeepRecords == forever {
		errs = append(errs, &Error{"keep-records", fmt.Sprintf("%q is not a duration such as 90d or 720h, or 0", r.KeepRecords)})
	}
	return errs
}

// FilesKept returns KeepFiles; 0 for forever. It must be valid.
func (r Retention) FilesKept() time.Duration { return mustKept(r.KeepFiles) }

// RecordsKept returns KeepRecords, which must be valid.
func (r Retention) RecordsKept() time.Duration { return mustKept(r.KeepRecords) }

func mustKept(text string) time.Duration {
	d, err := parseKept(text)
	if err != nil {
		panic(err) // Validate has accepted it
	}
	return d
}

const forever = "forever"

func parseKept(text string) (time.Duration, error) {
	if text == "" || text == "0" || text == forever {
		return 0, nil
	}
	var l Lifetime
	err := l.UnmarshalText([]byte(text))
	return time.Duration(l), err
}
