package workspace

import (
	"cmp"
	"context"
	"errors"

	"mirror/internal/front/render"
)

// RenderFront returns the configuration of another proxy, one of render.Programs, over the origins that a
// front would ask. The proxy looks for the last release that was published from here, if there is one.
func (w *Workspace) RenderFront(ctx context.Context, program, listen string) (string, error) {
	p := render.Proxy{Listen: cmp.Or(listen, w.Config.Front.Listen)}
	if w.beacon() != "" {
		p.Beacon = "/" + w.beacon()
	}
	for _, at := range w.frontOrigins() {
		p.Origins = append(p.Origins, render.Origin{Name: at.Name, URL: at.URL})
	}
	switch last, err := w.LastPublished(ctx); {
	case err == nil:
		p.Release = last.Manifest.ID()
	case !errors.Is(err, errNeverPublished):
		return "", err
	}
	return render.Config(program, p)
}
