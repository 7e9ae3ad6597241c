package s3

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/provider"
)

// homePage is the object whose ACL new objects get, where it is there.
const homePage = "index.html"

// keepACLs writes into a change which ACL each object gets. With acl in the config that one is for
// all. Else an object that is replaced keeps its own, which CopyObject and PutObject would take from
// it, and a new one gets that of the home page: the pages of a bucket that is public by the ACLs of
// its objects stay public.
func (t *Target) keepACLs(ctx context.Context, ch *documents.Change, inv inventory) error {
	if t.acl == noACL {
		return nil
	}
	if t.acl != "" {
		ch.NewACL = bucket.ACL{Canned: t.acl}
		return nil
	}
	if len(ch.Copies)+len(ch.Deletes)+len(ch.Fill) == 0 && ch.Beacon == nil || t.hadNoACLs() || !t.hasACLs(ctx) {
		return nil
	}
	model := model(inv)
	if model == "" {
		return t.warnOfPrivate(ctx)
	}
	read, err := t.aclReader(ctx, model)
	if read == nil || err != nil {
		return err
	}
	if ch.NewACL, err = read(ctx, model); err != nil {
		return err
	}
	rest := slices.DeleteFunc(replaced(ch), func(path string) bool { return path == model })
	if none, err := t.showsNone(ctx, read, ch.NewACL, rest); none || err != nil {
		return err
	}
	all, err := t.readACLs(ctx, read, rest)
	if err != nil {
		return err
	}
	maps.DeleteFunc(all, func(_ string, acl bucket.ACL) bool { return acl == ch.NewACL })
	ch.ACLs = all
	return nil
}

// replaced lists the paths whose objects a change replaces or removes, and may have to bring back.
func replaced(ch *documents.Change) []string {
	var paths []string
	for _, c := range ch.Restores {
		paths = append(paths, c.Path)
	}
	return paths
}

// model names the object whose ACL new ones get: the home page or, where there is none, the first
// that there is; "" where there is nothing.
func model(inv inventory) string {
	if len(inv.site) == 0 {
		return ""
	}
	if _, ok := inv.site[homePage]; ok {
		return homePage
	}
	return slices.Min(slices.Collect(maps.Keys(inv.site)))
}

// warnOfPrivate warns where visitors cannot read what is written to an empty bucket without an ACL.
func (t *Target) warnOfPrivate(ctx context.Context) error {
	public, err := t.defaultIsPublic(ctx)
	if public {
		t.noteNoACLs() // what is written here has none, and needs none
	}
	if err == nil && !public {
		t.log.Warn("visitors cannot read the objects of this bucket without keys " +
			"(hint: where they are to read the bucket itself, set acl: public-read, or allow it by a bucket policy; behind a CDN with keys of its own this is right)")
	}
	return err
}

// hasACLs reports whether the objects of this bucket may have ACLs of their own. AWS says so in one
// answer, where the keys may ask; elsewhere reading an ACL shows it.
func (t *Target) hasACLs(ctx context.Context) bool {
	if t.bucket.Service.Name == "aws" && !t.bucket.Service.Lacks(provider.ObjectACLs) {
		if takes, err := t.bucket.TakesACLs(ctx); err == nil && !takes {
			t.bucket.Service.Learn(provider.ObjectACLs, provider.No, nil)
			t.noteNoACLs()
		}
	}
	return !t.bucket.Service.Lacks(provider.ObjectACLs)
}

// aclReader tells the ACL of an object.
type aclReader func(ctx context.Context, path string) (bucket.ACL, error)

// aclReader returns how the ACLs of this bucket are found out, nil where there are none to keep.
func (t *Target) aclReader(ctx context.Context, model string) (aclReader, error) {
	_, err := t.bucket.ACL(ctx, model)
	switch {
	case err == nil:
		return t.readACL, nil
	case bucket.HidesACLs(err):
		t.log.Debug("the service does not tell ACLs; what visitors may read is tried", "err", err)
		return t.visitorACLs(ctx, model)
	}
	return nil, err
}

func (t *Target) readACL(ctx context.Context, path string) (bucket.ACL, error) {
	acl, err := t.bucket.ACL(ctx, path)
	if bucket.IsMissing(err) {
		return bucket.ACL{}, nil
	}
	return acl, err
}

// visitorACLs takes an object for public by its ACL that visitors may read, where they may not read
// what is written without an ACL.
func (t *Target) visitorACLs(ctx context.Context, model string) (aclReader, error) {
	if public, err := t.bucket.IsPublic(ctx, model); err != nil || !public {
		return nil, err
	}
	if public, err := t.defaultIsPublic(ctx); err != nil || public {
		if public {
			t.noteNoACLs()
		}
		return nil, err
	}
	return func(ctx context.Context, path string) (bucket.ACL, error) {
		public, err := t.bucket.IsPublic(ctx, path)
		if err != nil || !public {
			return bucket.ACL{}, err
		}
		return bucket.ACL{Canned: string(types.ObjectCannedACLPublicRead)}, nil
	}, nil
}

// defaultIsPublic reports whether visitors may read an object that was written without an ACL.
func (t *Target) defaultIsPublic(ctx context.Context) (bool, error) {
	path := documents.ProbeFolder + documents.NewNonce()
	defer t.removeProbes(ctx, path)
	if _, err := t.bucket.Put(ctx, path, []byte("mirror\n"), bucket.Staged, bucket.Condition{}); err != nil {
		return false, err
	}
	return t.bucket.IsPublic(ctx, path)
}

// sampled is how many objects of an unknown service must have the default ACL for the service to
// count as one that has no others: many answer the same for every object.
const sampled = 16

// showsNone reports whether a service of which the table says nothing shows no ACL but the default.
func (t *Target) showsNone(ctx context.Context, read aclReader, first bucket.ACL, paths []string) (bool, error) {
	if first != (bucket.ACL{}) || len(paths) <= sampled || t.bucket.Service.Has(provider.ObjectACLs) != provider.Ask {
		return false, nil
	}
	some, err := t.readACLs(ctx, read, paths[:sampled])
	if err != nil || slices.ContainsFunc(slices.Collect(maps.Values(some)), func(acl bucket.ACL) bool { return acl != bucket.ACL{} }) {
		return false, err
	}
	t.bucket.Service.Learn(provider.ObjectACLs, provider.No, nil)
	t.noteNoACLs()
	return true, nil
}

func (t *Target) readACLs(ctx context.Context, read aclReader, paths []string) (map[string]bucket.ACL, error) {
	var mu sync.Mutex
	all := make(map[string]bucket.ACL, len(paths))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	for _, path := range paths {
		g.Go(func() error {
			acl, err := read(ctx, path)
			mu.Lock()
			defer mu.Unlock()
			all[path] = acl
			return err
		})
	}
	return all, g.Wait()
}

// inheritACLs carries over the ACLs that objects had before a commit that was left half done.
func inheritACLs(ch, torn *documents.Change) {
	for _, path := range replaced(torn) {
		acl := torn.ACL(path)
		if acl == ch.ACL(path) {
			continue
		}
		if ch.ACLs == nil {
			ch.ACLs = map[string]bucket.ACL{}
		}
		ch.ACLs[path] = acl
	}
}
