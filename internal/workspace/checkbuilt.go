package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/diff"
	"mirror/internal/builtsite"
	"mirror/internal/check"
	"mirror/internal/humanize"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// BuiltOptions say how a built site is compared with live sites.
type BuiltOptions struct {
	WebRoot   string   // folder of the site in an image; "" finds it
	Earlier   []string // earlier builds, newest first: what is still of one of them is stale
	Ignore    []string // doublestar globs over paths that are not looked at
	NotFound  string   // page for paths that do not exist; "" where only the status counts
	CleanURLs string   // "auto", "true" or "false": whether about.html is served at /about
	Index     bool     // a folder's URL serves its index.html
}

// hostFiles are files that hosts read when a site is published: many of them do not serve these.
func hostFiles() []string {
	return []string{"_headers", "_redirects", "_routes.json", ".nojekyll", "CNAME", ".htaccess", ".htpasswd", "netlify.toml", "vercel.json", "staticwebapp.config.json", "web.config"}
}

// CheckBuilt compares the sites with a built one until they agree or c.Wait has run out, and at
// least once. A source that is no site is a *UsageError.
func (s *Sites) CheckBuilt(ctx context.Context, source string, c CheckOptions, o BuiltOptions) (diff.Verdict, error) {
	if err := o.validate(); err != nil {
		return diff.Verdict{}, usage(err)
	}
	built, err := s.open(ctx, source, o)
	if err != nil {
		return diff.Verdict{}, err
	}
	defer built.Close()
	look, notes := s.lookFor(built, c, o)
	past, err := s.earlier(ctx, o)
	if err != nil {
		return diff.Verdict{}, err
	}
	look.Past = []check.PastFunc{func(context.Context, []string) []site.Past { return past }}
	look.Absent = absent(built.Manifest, past)
	verdict, err := s.awaitBuilt(ctx, look, c.Wait, o)
	if err != nil {
		return diff.Verdict{}, err
	}
	verdict.Tolerate(c.Tolerance)
	verdict.Unmanaged = true
	verdict.Notes = append(verdict.Notes, notes...)
	return verdict, nil
}

func (o BuiltOptions) validate() error {
	for _, glob := range o.Ignore {
		if !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("--ignore: %q is not a valid pattern", glob)
		}
	}
	if !slices.Contains([]string{"auto", "true", "false"}, o.CleanURLs) {
		return fmt.Errorf("--clean-urls %s: want auto, true or false", o.CleanURLs)
	}
	return nil
}

// open opens a built site and says so.
func (s *Sites) open(ctx context.Context, source string, o BuiltOptions) (*builtsite.Site, error) {
	built, err := builtsite.Open(ctx, source, builtsite.Options{WebRoot: o.WebRoot, Progress: s.Events.Hashing()})
	if errors.Is(err, builtsite.ErrNoSite) {
		return nil, usage(err)
	}
	if err != nil {
		return nil, err
	}
	s.Events.Line("site     %s: %s, release %s", built.From, humanize.Plural(len(built.Manifest), "file"), built.ID().Short())
	return built, nil
}

// earlier lists what earlier builds held, newest first.
func (s *Sites) earlier(ctx context.Context, o BuiltOptions) (past []site.Past, err error) {
	for _, source := range o.Earlier {
		built, err := s.open(ctx, source, o)
		if err != nil {
			return nil, fmt.Errorf("--earlier: %w", err)
		}
		past = append(past, site.Past{Release: built.ID(), Manifest: built.Manifest})
		if err := built.Close(); err != nil {
			return nil, fmt.Errorf("--earlier: %w", err)
		}
	}
	return past, nil
}

// absent lists what earlier builds had and this one has not.
func absent(m site.Manifest, past []site.Past) (paths []string) {
	for _, p := range past {
		for _, f := range p.Manifest {
			if _, ok := m.Find(f.Path); !ok {
				paths = append(paths, f.Path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// lookFor says what a check of a built site looks for, and what it leaves out.
func (s *Sites) lookFor(built *builtsite.Site, c CheckOptions, o BuiltOptions) (look check.Options, notes []string) {
	look = check.Options{
		Release: built.ID(), Manifest: built.Manifest, Open: built.ReadFile, BeaconPath: site.DefaultBeacon, NotFound: o.NotFound,
		Ignore: slices.Clone(o.Ignore), Sample: c.Sample, Learn: c.Learn, Excerpts: c.Excerpts,
		Headers: check.Headers{Names: []string{"content-type"}}, Progress: s.Events.Checking, Waiting: s.Events.Waiting,
	}
	var left []string
	for _, name := range hostFiles() {
		if _, ok := built.Manifest.Find(name); ok {
			left = append(left, name)
		}
	}
	if len(left) > 0 {
		look.Ignore = append(look.Ignore, left...)
		notes = append(notes, "not looked at, since hosts read these files and need not serve them: "+strings.Join(left, ", "))
	}
	return look, notes
}

// relearn is how long origins are waited for whose style is not known yet, before it is asked for again.
const relearn = 3 * time.Second

// awaitBuilt checks until the sites serve the release or patience has run out.
func (s *Sites) awaitBuilt(ctx context.Context, look check.Options, patience time.Duration, o BuiltOptions) (diff.Verdict, error) {
	end := time.Now().Add(patience)
	for {
		origins, known := s.styled(ctx, look.Manifest, o)
		left := max(0, time.Until(end))
		if !known {
			left = min(left, relearn)
		}
		verdict, err := check.Await(ctx, origins, look, left)
		if err != nil || verdict.Agree() || time.Until(end) <= 0 {
			return verdict, err
		}
	}
}

// styled returns the origins with the style that each has; known is false where one does not tell.
func (s *Sites) styled(ctx context.Context, m site.Manifest, o BuiltOptions) (origins []origin.Endpoint, known bool) {
	origins = slices.Clone(s.Origins)
	var all sync.WaitGroup
	told := make([]bool, len(origins))
	for i := range origins {
		at := &origins[i]
		at.CDN = true // for all that is known; this costs a request for a page that differs
		at.Style = site.URLStyle{CleanURLs: o.CleanURLs == "true", NoIndex: !o.Index}
		if o.CleanURLs != "auto" {
			told[i] = true
			continue
		}
		all.Go(func() {
			client := origin.New(*at)
			defer client.Close()
			at.Style.CleanURLs, told[i] = survey.CleanURLs(ctx, client, m)
		})
	}
	all.Wait()
	return origins, !slices.Contains(told, false)
}
