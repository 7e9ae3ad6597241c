package builtsite

import (
	"errors"

	"mirror/site"
)

// Site is an opened site. Its release's bytes can be read until Close.
type Site struct {
	*site.Release
	// From says what was opened, for people.
	From  string
	close func() error
}

// Close ends the reading of the site and frees its temporary file.
func (s *Site) Close() error { return s.close() }

// Options say how a site is opened.
type Options struct {
	WebRoot string // folder of an image that holds the site; "" finds it
	Limits  Limits
	// Progress, if set, hears of files that were hashed, from several goroutines.
	Progress func(files int, bytes int64)
}

// Limits bound what an archive or an image may hold. A zero field has its default.
type Limits struct {
	Bytes int64 // of all files together; default 16 GiB
	Files int   // entries of every kind; default 1,000,000
	Names int64 // bytes of all names together; default 256 MiB
	// Ratio is how many times larger than the archive its files may be, and Free how many bytes they
	// may have whatever the ratio is; defaults 200 and 64 MiB.
	Ratio int64
	Free  int64
}

func (l Limits) withDefaults() Limits {
	for field, value := range map[*int64]int64{&l.Bytes: 16 << 30, &l.Names: 256 << 20, &l.Ratio: 200, &l.Free: 64 << 20} {
		if *field == 0 {
			*field = value
		}
	}
	if l.Files == 0 {
		l.Files = 1_000_000
	}
	return l
}

// ErrNoSite is wrapped by what Open says of a source that cannot be meant: a path at which nothing is, or
// a reference that is none.
var ErrNoSite = errors.New("is no site")

// imagePrefix begins a source that is an image.
const imagePrefix = "oci:"
