package origin

import (
	"context"
	"errors"
	"fmt"

	"mirror/site"
)

// small is how long a body is first taken to be, in bytes: an origin that drips is not
// waited for as long as a large file may take.
const small = 1 << 20

// FetchAny asks by ask for a page of whose size nothing is known, up to limit bytes: as a
// small page first, and as ever larger ones where it turns out to be long.
func FetchAny(ctx context.Context, ask func(context.Context, Page) site.Observation, p Page, limit int64) site.Observation {
	for size := int64(small); ; size *= 16 {
		p.Size = min(size, limit)
		o := ask(ctx, p)
		if !errors.Is(o.Err, site.ErrTooLong) {
			return o
		}
		if size >= limit {
			o.Err = fmt.Errorf("over %d bytes: %w", limit, o.Err)
			return o
		}
	}
}
