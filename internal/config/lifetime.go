package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Lifetime is a duration that may be given in days.
type Lifetime time.Duration

// UnmarshalText accepts 30d, or what time.ParseDuration accepts. It must be positive.
func (l *Lifetime) UnmarshalText(p []byte) error {
	d, err := time.ParseDuration(string(p))
	if days, ok := strings.CutSuffix(string(p), "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
		if err == nil && int64(d.Hours()) != int64(n)*24 {
			err = strconv.ErrRange
		}
	}
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a positive duration such as 30d or 720h", p)
	}
	*l = Lifetime(d)
	return nil
}
