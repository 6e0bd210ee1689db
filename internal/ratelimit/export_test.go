package ratelimit

import "time"

// WaitForDatabase has the limiter wait that long for its database, however busy the machine is.
func (l *Limiter) WaitForDatabase(timeout time.Duration) { l.shared.timeout = timeout }
