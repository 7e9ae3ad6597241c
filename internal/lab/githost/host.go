// Package githost is a git host on loopback whose Pages serve one branch: a repository that git
// clients push to and fetch from by the smart HTTP protocol, and the web origin that shows what
// was pushed. It stands in for GitHub in demos and tests.
package githost

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"mirror/internal/lab/edge"
	"mirror/internal/static"
)

// Host is a git host whose Pages serve one branch, as GitHub's do: some time after a push,
// the latest push last; about.html also at /about; and without a file .nojekyll nothing
// whose name begins with "_" or ".".
type Host struct {
	*edge.Origin
	Remote string // the repository's URL, without the token
	Branch string
	Token  string // the password that the host asks for, "" for none

	log    *slog.Logger
	repo   *repository
	deploy *edge.Deployer

	mu        sync.Mutex // guards what follows
	cancel    int        // how many of the next deployments are cancelled
	cancelled map[plumbing.Hash]bool
}

// Options say how a git host is set up.
type Options struct {
	Branch      string // that Pages serve; "" for gh-pages
	Token       string // that the host asks for as the password; "" for none
	ContentType func(path string, head []byte) string
	Log         *slog.Logger // nil for silence
}

// repositoryPath is the URL path of the repository.
const repositoryPath = "/site.git"

// New returns a git host that stores in a spool, and deploys until ctx ends. It has no
// address yet: see Serve.
func New(ctx context.Context, spool *static.Spool, o Options) *Host {
	o.Branch = cmp.Or(o.Branch, "gh-pages")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	site := static.Options{CleanURLs: true, ContentType: o.ContentType, Log: o.Log}
	g := &Host{
		Branch: o.Branch,
		Token:  o.Token,
		log:    o.Log,

		cancelled: map[plumbing.Hash]bool{},
		repo:      newRepository(newObjects(spool), o.Branch),
		deploy:    edge.NewDeployer(ctx, o.Log.With("origin", "git"), site, http.NotFoundHandler()),
	}
	g.repo.moved = g.deployMove
	g.Origin = edge.NewOrigin("git", "git", g.deploy, g.deploy)
	return g
}

// Close takes the site down. The context that the host was made with has ended.
func (g *Host) Close() { g.deploy.Close() }

// deployMove deploys the branch where it is what moved. It is called in the order of the moves.
func (g *Host) deployMove(ref plumbing.ReferenceName, to plumbing.Hash) {
	if ref == g.repo.branch && !g.isCancelled(to) {
		g.deploy.Later(func(context.Context) (*edge.Release, error) { return g.build(to) })
	}
}

// CancelDeployments has the deployments of the next n commits be cancelled, as GitHub does to one that takes ten
// minutes: none of these commits is ever deployed, whatever moves the branch to it later.
func (g *Host) CancelDeployments(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel = n
}

func (g *Host) isCancelled(commit plumbing.Hash) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cancel > 0 && !g.cancelled[commit] {
		g.cancel--
		g.cancelled[commit] = true
	}
	return g.cancelled[commit]
}

// build makes the site of a commit, none of the zero hash.
func (g *Host) build(commit plumbing.Hash) (*edge.Release, error) {
	leaves, err := g.repo.leaves(commit)
	if err != nil {
		return nil, err
	}
	_, plain := leaves[".nojekyll"]
	files, sums := map[string]static.Section{}, map[string][sha256.Size]byte{}
	for name, l := range leaves {
		e, ok := g.repo.find(l.hash)
		if ok && l.mode.IsFile() && l.mode != filemode.Symlink && (plain || !jekyllHides(name)) {
			files[name], sums[name] = e.at, e.sum
		}
	}
	return g.deploy.Built(static.NewTree(g.repo.spool, files), sums, nil), nil
}

// jekyllHides says whether Pages leave a file out of a site that does not opt out of Jekyll.
func jekyllHides(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return part[0] == '_' || part[0] == '.' || part[0] == '#' || part[len(part)-1] == '~'
	})
}

// Edit commits a change to the branch as a person would, nil content removing a file, and
// deploys it at once.
func (g *Host) Edit(_ context.Context, files map[string][]byte) error {
	next, err := g.change(files)
	if err != nil {
		return err
	}
	return g.deploy.Now(func(context.Context) (*edge.Release, error) { return g.build(next) })
}

// Change does the same, and the change is deployed as any push is.
func (g *Host) Change(_ context.Context, files map[string][]byte) error {
	_, err := g.change(files)
	return err
}

// change commits to the branch and returns the commit.
func (g *Host) change(files map[string][]byte) (plumbing.Hash, error) {
	tip := g.repo.tip()
	leaves, err := g.repo.leaves(tip)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	for name, content := range files {
		delete(leaves, name)
		if content == nil {
			continue
		}
		h, err := g.repo.add(plumbing.BlobObject, content)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		leaves[name] = leaf{filemode.Regular, h}
	}
	tree, err := g.repo.plant(leaves)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	next, err := g.commit(tree, tip)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if err := g.repo.apply([]move{{g.repo.branch, tip, next}}, false)[0]; err != nil {
		return plumbing.ZeroHash, fmt.Errorf("edit the branch: %w", err)
	}
	return next, nil
}

func (g *Host) commit(tree, parent plumbing.Hash) (plumbing.Hash, error) {
	person := object.Signature{Name: "A Person", Email: "person@example.com", When: time.Now()}
	c := &object.Commit{Author: person, Committer: person, Message: "Edit by hand\n", TreeHash: tree}
	if !parent.IsZero() {
		c.ParentHashes = []plumbing.Hash{parent}
	}
	o := &plumbing.MemoryObject{}
	if err := c.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return g.repo.SetEncodedObject(o)
}
