package cli

import (
	"fmt"
	"time"
)

// instant is a time as an argument: a time, or the start of a day (UTC).
type instant struct{ time.Time }

// UnmarshalText accepts 2026-03-01 or 2026-03-01T09:30:00Z.
func (i *instant) UnmarshalText(p []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, string(p)); err == nil {
			i.Time = t
			return nil
		}
	}
	return fmt.Errorf("%q is not a day such as 2026-03-01 or a time such as 2026-03-01T09:30:00Z", p)
}
