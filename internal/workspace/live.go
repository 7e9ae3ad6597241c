package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"mirror/diff"
	"mirror/internal/builtsite"
)

// LiveOptions say how live sites are checked with no config.
type LiveOptions struct {
	CheckOptions
	SiteOptions
	Compare CompareOptions // of live sites with each other
	Built   BuiltOptions   // of live sites with the site that a build has made
	List    string         // file that lists the pages to compare, - for Stdin; "" for none
	Stdin   io.Reader
}

// NamesBuiltSite reports whether the first argument of a check is a built site, and not a URL.
func NamesBuiltSite(arguments []string) bool {
	return len(arguments) > 0 && builtsite.IsSource(arguments[0])
}

// CheckLive compares the site that the first argument names with the live sites at the URLs behind
// it, or where all arguments are URLs the live sites with each other.
func CheckLive(ctx context.Context, arguments []string, o LiveOptions, events Events) (diff.Verdict, error) {
	if err := o.validate(arguments); err != nil {
		return diff.Verdict{}, usage(err)
	}
	o.Confirm = 1
	if NamesBuiltSite(arguments) {
		sites, err := OpenSites(arguments[1:], o.SiteOptions, events)
		if err != nil {
			return diff.Verdict{}, err
		}
		return sites.CheckBuilt(ctx, arguments[0], o.CheckOptions, o.Built)
	}
	sites, err := OpenSites(arguments, o.SiteOptions, events)
	if err != nil {
		return diff.Verdict{}, err
	}
	names, err := o.names()
	if err != nil {
		return diff.Verdict{}, usage(fmt.Errorf("--pages: %w", err))
	}
	if names != nil {
		defer names.Close()
		o.Compare.Names = names
	}
	return sites.Compare(ctx, o.CheckOptions, o.Compare)
}

// names opens the list of pages, nil where there is none.
func (o LiveOptions) names() (io.ReadCloser, error) {
	switch o.List {
	case "":
		return nil, nil
	case "-":
		return io.NopCloser(o.Stdin), nil
	}
	return os.Open(o.List)
}

// validate refuses what cannot be meant.
func (o LiveOptions) validate(arguments []string) error {
	switch {
	case len(arguments) == 1 && NamesBuiltSite(arguments):
		return fmt.Errorf("%s alone cannot be compared with anything (hint: mirror check %s https://host/)", arguments[0], arguments[0])
	case len(arguments) == 1:
		return fmt.Errorf("%s alone cannot be compared with anything (hint: mirror check URL URL…)", arguments[0])
	case o.LiveOnly || o.TrustETag || o.Tolerance.Window != 0:
		return errors.New("--live-only, --trust-etag and --max-age need a release to compare with, and so a config")
	case o.List != "" && o.Compare.Sitemap != "":
		return errors.New("--pages and --sitemap both say which pages to compare (hint: give one)")
	case o.Compare.MaxPages < 0 || o.Rate < 0 || o.Concurrency < 1 || o.Concurrency > 1024 || o.Timeout <= 0:
		return errors.New("--max-pages and --rate cannot be negative, --concurrency is 1 to 1024, --timeout a time such as 10s")
	}
	return nil
}
