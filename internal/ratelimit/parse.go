package ratelimit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Overrides are the limits, by name, that a setting replaces the built-in ones with. The zero Overrides change nothing.
type Overrides struct {
	off    bool
	limits map[string]Limit
}

var periods = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hour": time.Hour,
}

// Parse parses a setting: "off" switches all limits off, "exports.create=50/min,credits.get=off" changes the named
// ones, "" changes nothing. The error names every part that cannot be parsed.
func Parse(setting string) (Overrides, error) {
	if setting = strings.TrimSpace(setting); strings.EqualFold(setting, "off") {
		return Overrides{off: true}, nil
	}
	o := Overrides{limits: map[string]Limit{}}
	var errs []error
	for part := range strings.SplitSeq(setting, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		limit, ok := parseLimit(strings.ToLower(strings.TrimSpace(value)))
		if !found || name == "" || !ok {
			errs = append(errs, fmt.Errorf("%q must be NAME=REQUESTS/PERIOD, such as exports.create=50/min, or NAME=off", part))
			continue
		}
		o.limits[name] = limit
	}
	return o, errors.Join(errs...)
}

func parseLimit(s string) (Limit, bool) {
	if s == "off" {
		return Limit{}, true
	}
	requests, period, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(strings.TrimSpace(requests))
	per, known := periods[strings.TrimSpace(period)]
	return Limit{Requests: n, Per: per}, err == nil && n > 0 && n <= requestsMax && known
}

const requestsMax = 1_000_000

// For returns the limit with the name: the override if there is one, else the built-in one.
func (o Overrides) For(name string, builtIn Limit) Limit {
	if o.off {
		return Limit{}
	}
	if l, ok := o.limits[name]; ok {
		return l
	}
	return builtIn
}

// Names returns the names of the overridden limits, so that a misspelt one can be reported.
func (o Overrides) Names() []string { return slices.Sorted(maps.Keys(o.limits)) }
