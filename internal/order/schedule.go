package order

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a container may have no time zones

	cron "github.com/netresearch/go-cron"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// Schedule says when an order runs: at the times of a cron expression in a time zone, or after each import if Cron is empty.
type Schedule struct {
	Cron string // minute, hour, day of the month, month, day of the week
	Zone string // the name of a time zone; empty for UTC
}

// AfterImport reports whether the order runs after each import.
func (s Schedule) AfterImport() bool { return s.Cron == "" }

// cronLengthMax is far more than an expression needs.
const cronLengthMax = 200

var cronParser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom)

// times is a Schedule that has been read.
type times struct {
	cron cron.Schedule
	zone *time.Location
}

// read checks a schedule that has a cron expression. A schedule that never fires is an error.
func (s Schedule) read() (times, []fault.FieldError) {
	var t times
	var errs []fault.FieldError
	bad := func(field, message string) {
		errs = append(errs, fault.FieldError{Field: "schedule." + field, Message: message})
	}
	var err error
	switch {
	case len(s.Cron) > cronLengthMax:
		bad("cron", "is longer than 200 characters")
	case strings.Contains(s.Cron, "="):
		bad("cron", "must not name a time zone; use schedule.time_zone")
	default:
		if t.cron, err = cronParser.Parse(s.Cron); err != nil {
			bad("cron", "is not a cron expression such as 0 8 * * MON (minute, hour, day of the month, month, day of the week): "+explainCron(s.Cron))
		}
	}
	if t.zone, err = time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
		bad("time_zone", "is not a time zone; use a name such as Europe/Berlin or UTC")
	}
	if len(errs) > 0 {
		return times{}, errs
	}
	if _, fires := t.next(time.Now()); !fires {
		bad("cron", "never fires: there is no such date, as with 30 February")
	}
	return t, errs
}

var cronParts = []struct{ name, values string }{
	{"minute", "0 to 59"}, {"hour", "0 to 23"}, {"day of the month", "1 to 31"}, {"month", "1 to 12 or JAN to DEC"}, {"day of the week", "0 to 7 or SUN to SAT"},
}

// explainCron returns why an expression cannot be read: which of its parts is wrong. The parser says it in the words of a programmer.
func explainCron(expression string) string {
	parts := strings.Fields(expression)
	if len(parts) != len(cronParts) {
		return fmt.Sprintf("it has %s, not %d", text.Count(len(parts), "part", "parts"), len(cronParts))
	}
	for i, part := range parts {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = part
		if _, err := cronParser.Parse(strings.Join(alone, " ")); err != nil {
			return fmt.Sprintf("the %s cannot be %s; it can be %s, *, a range such as 1-5, a step such as */2, or several of these with commas between",
				cronParts[i].name, text.Short(part), cronParts[i].values)
		}
	}
	return "it cannot be read"
}

// next returns the first time after the given one; false if there is none within years.
//
// The expression is read on the wall clock: an hour that exists twice, when clocks are set back, counts once, and a time that does not
// exist, when they are set forward, is the moment at which they are.
func (t times) next(after time.Time) (time.Time, bool) {
	local := after.In(t.zone)
	wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
	for {
		if wall = t.cron.Next(wall); wall.IsZero() {
			return time.Time{}, false
		}
		if at := atWall(wall, t.zone); at.After(after) {
			return at.UTC(), true
		}
	}
}

// atWall returns the first time at which clocks in the zone show what wall, in UTC, says. If clocks skip it, that is the time at which
// they are set forward.
func atWall(wall time.Time, zone *time.Location) time.Time {
	var first time.Time
	for _, near := range []time.Time{wall.Add(-24 * time.Hour), wall.Add(24 * time.Hour)} { // no zone changes twice in two days
		_, offset := near.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		_, own := at.In(zone).Zone()
		if own == offset && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if !first.IsZero() {
		return first
	}
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	change, _ := wall.Add(-time.Duration(before) * time.Second).In(zone).ZoneBounds() // the old offset leads to a time after the change
	return change.UTC()
}
