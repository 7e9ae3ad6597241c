package hostclock

import "time"

// wall is the wall clock, without the monotonic reading.
func wall() time.Duration { return time.Duration(time.Now().UnixNano()) }
