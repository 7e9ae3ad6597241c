package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"testing"
	"time"

	"mirror/internal/command"
	"mirror/internal/config"
	"mirror/internal/netname"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

// TestPlace returns the place of the one target that is chosen, for the suite that all targets pass. What visitors see is
// read from its origin. reset is a shell command that empties the place, "" for none.
func (w *Workspace) TestPlace(ctx context.Context, reset string) (targettest.Place, error) {
	dests, err := w.Destinations(ctx)
	if err != nil {
		return targettest.Place{}, err
	}
	if len(dests) != 1 || dests[0].Origin == nil {
		return targettest.Place{}, fmt.Errorf("the suite tries one target that has an origin, and the config has %d targets (hint: --target NAME)", len(dests))
	}
	p := testPlace{w, w.Config.Targets[0], dests[0].Kind}
	place := targettest.Place{Fixture: targettest.Fixture{
		NoPurgeRecord: true,
		Kind:          p.kind,
		Open:          func(t *testing.T, rt http.RoundTripper) targets.Target { return p.open(t, targets.Env{Transport: rt}) },
		Read:          func(path string) ([]byte, error) { return p.read(ctx, path) },
	}}
	if p.kind.WrongKeep == nil {
		place.Keeping = func(t *testing.T, keep targets.Keep) targets.Target { return p.open(t, targets.Env{Keep: keep}) }
	}
	if _, ok := targets.As[targets.Gracer](ctx, dests[0].Target); ok {
		place.Gracing = func(t *testing.T, policy *grace.Policy) targets.Target { return p.open(t, targets.Env{Grace: policy}) }
	}
	if _, ok := targets.As[targets.Guard](ctx, dests[0].Target); ok {
		place.Guarded = func(t *testing.T, owner string, lease time.Duration, rt http.RoundTripper) targets.Target {
			return p.open(t, targets.Env{Owner: owner, Lease: lease, Transport: rt})
		}
	}
	if reset != "" {
		place.Reset = func() error {
			cmd := command.Shell(ctx, reset)
			cmd.Stdout, cmd.Stderr = w.options.Output, w.options.Output
			return command.Run(ctx, cmd)
		}
	}
	return place, nil
}

// testPlace is the place of a target of the config.
type testPlace struct {
	workspace *Workspace
	target    config.Target
	kind      targets.Kind
}

// open opens the target as another machine would, without a state folder.
func (p testPlace) open(t *testing.T, env targets.Env) targets.Target {
	t.Helper()
	o := p.workspace.options
	env.Getenv, env.Secret, env.Log = o.Getenv, o.Secrets.Add, o.Log
	tgt, err := p.kind.Open(t.Context(), env, p.target.Decode)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// A test's page is read in that time, and has at most that many bytes.
const (
	testReadTimeout = 30 * time.Second
	maxTestPage     = 1 << 20
)

// read gets a page from the origin, and follows no redirect.
func (p testPlace) read(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, testReadTimeout)
	defer cancel()
	o := p.target.Origin
	style := site.URLStyle{CleanURLs: o.CleanURLs, NoIndex: !o.ServesIndex()}
	page, err := o.URL.Parse("./" + style.URLPath(path))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: netname.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxTestPage))
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		return nil, fmt.Errorf("%s: %w", page, fs.ErrNotExist)
	case answer.StatusCode != http.StatusOK:
		return nil, errors.New(page.String() + ": " + answer.Status)
	}
	return text, nil
}
