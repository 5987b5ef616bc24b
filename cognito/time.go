package cognito

import (
	"fmt"
	"strconv"
	"time"
)

// Time is a moment as the JSON API writes it: seconds since the epoch, with milliseconds as a fraction.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	ms := t.UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}

// UnmarshalJSON implements json.Unmarshaler. Like the types of Go it takes null for nothing said.
func (t *Time) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	seconds, err := strconv.ParseFloat(string(data), 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return fmt.Errorf("cognito: %q is no time in seconds since the epoch", data)
	}
	t.Time = time.UnixMilli(int64(seconds*1000 + 0.5)).UTC()
	return nil
}

// moment is the time in the precision that is stored, so that what was returned by Create is what Describe returns.
func moment(now time.Time) Time { return Time{now.UTC().Truncate(time.Millisecond)} }
