package order

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnHourThatDoesNotExistOrExistsTwiceRunsOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cron, zone, after string
		want              []string // the next times, UTC
	}{
		"every Monday": {"0 8 * * MON", "UTC", "2026-11-30T08:00:00Z", []string{"2026-12-07T08:00:00Z", "2026-12-14T08:00:00Z"}},
		"by the local clock in winter and summer": {
			"0 8 1 3,4 *", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-03-01T07:00:00Z", "2026-04-01T06:00:00Z"},
		},
		"a time that does not exist runs when the clock is set forward": {
			"30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z",
			[]string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		},
		"every quarter of an hour that does not exist is one run": {
			"*/15 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
			[]string{"2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"},
		},
		"a time that exists twice runs the first time": {
			"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		},
		"asked between both": {
			"30 2 * * *", "Europe/Berlin", "2026-10-25T01:15:00Z", []string{"2026-10-26T01:30:00Z"},
		},
		"every hour, of which one exists twice": {
			"0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z",
			[]string{"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"},
		},
		"across the Atlantic, forward": {
			"30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", []string{"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"},
		},
		"across the Atlantic, back": {
			"30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", []string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"},
		},
		"clocks that are set by half an hour, forward": {
			"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", []string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"},
		},
		"a day that did not exist": {
			"0 12 30 12 *", "Pacific/Apia", "2011-12-28T00:00:00Z", []string{"2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"},
		},
		"midnight that does not exist": {
			"0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", []string{"2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
		},
		"day of the month or day of the week, as crontab": {
			"0 0 1 * MON", "UTC", "2026-11-30T12:00:00Z", []string{"2026-12-01T00:00:00Z", "2026-12-07T00:00:00Z"},
		},
		"29 February": {"0 0 29 2 *", "", "2026-11-30T12:00:00Z", []string{"2028-02-29T00:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, errs := Schedule{c.cron, c.zone}.read()
			require.Empty(t, errs)
			at, err := time.Parse(time.RFC3339, c.after)
			require.NoError(t, err)
			for _, want := range c.want {
				next, fires := s.next(at)
				require.True(t, fires)
				require.Equal(t, want, next.Format(time.RFC3339))
				at = next
			}
		})
	}
}

func TestAScheduleThatNeverFiresOrCannotBeReadIsAClearError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, zone, field, message string }{
		{"0 0 30 2 *", "UTC", "cron", "never fires"},
		{"0 0 31 4,6 *", "UTC", "cron", "never fires"},
		{"0 8 * *", "UTC", "cron", "): it has 4 parts, not 5"},
		{"60 * * * *", "UTC", "cron", "): the minute cannot be 60; it can be 0 to 59, *, a range such as 1-5"},
		{"0 24 * * *", "UTC", "cron", "): the hour cannot be 24; it can be 0 to 23,"},
		{"-1 8 * * *", "UTC", "cron", "): the minute cannot be -1;"},
		{"0 8 * FEB-NEVER *", "UTC", "cron", "): the month cannot be FEB-NEVER; it can be 1 to 12 or JAN to DEC,"},
		{"0 8 * * MON-", "UTC", "cron", "): the day of the week cannot be MON-; it can be 0 to 7 or SUN to SAT,"},
		{"*/0 * * * *", "UTC", "cron", "): the minute cannot be */0;"},
		{"99999999999999999999 * * * *", "UTC", "cron", "): the minute cannot be 99999999999999999999;"},
		{"@daily", "UTC", "cron", "): it has 1 part, not 5"},
		{"CRON_TZ=UTC 0 8 * * *", "UTC", "cron", "use schedule.time_zone"},
		{"TZ=0", "UTC", "cron", "use schedule.time_zone"},
		{"0 0 L * *", "UTC", "cron", "): the day of the month cannot be L;"},
		{"0 8 * * *", "Berlin", "time_zone", "use a name such as Europe/Berlin"},
		{"0 8 * * *", "Local", "time_zone", "use a name such as Europe/Berlin"},
	} {
		_, errs := Schedule{c.cron, c.zone}.read()
		require.Len(t, errs, 1, c.cron)
		require.Equal(t, "schedule."+c.field, errs[0].Field)
		require.Contains(t, errs[0].Message, c.message)
	}
}
