package compare

// Options says how the origins are compared.
type Options struct {
	IgnoreHost bool // links to an origin's own base URL are taken for relative ones
	Learn      bool // what an origin answers otherwise on each read is noise, and no drift
	// Named says that a person named the pages: then it says nothing of them that the sites
	// have no home page.
	Named bool
	// Unlisted, if set, is why the list of pages is unknown. Then no origin can be judged.
	Unlisted error
	// Unread says by origin why a sitemap that is there could not be read: that origin cannot be judged
	// as a whole, whatever its pages say.
	Unread map[string]error
	// Progress, if set, hears of each page that was asked for, from several goroutines.
	Progress func(origin string, done, total int)
	// Again, if set, hears how many pages are asked for again before they count.
	Again func(pages int)
}

// notFound stands for the path that never existed, in what is reported.
const notFound = "not-found"
