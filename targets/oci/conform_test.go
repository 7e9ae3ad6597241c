package oci

import (
	"fmt"
	"testing"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

var (
	_ targets.Pruner       = (*Target)(nil)
	_ targets.Historian    = (*Target)(nil)
	_ targets.Eraser       = (*Target)(nil)
	_ targets.Gracer       = (*Target)(nil)
	_ targets.Restorer     = (*Target)(nil)
	_ targets.PurgedLister = (*Target)(nil)
)

func TestConformanceEmbedded(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Fixture { return newPlace(t, embeddedRegistry(t)).fixture() })
}

func TestConformanceDebian(t *testing.T) { conformReal(t, realserver.DockerRegistry) }

func TestConformanceDistribution(t *testing.T) { conformReal(t, realserver.Distribution) }

// conformReal runs the suite on one registry, in which each case has an image of its own. Debian's asks for a password: to
// check it for every request takes a sixth of the time, so the other registry is open.
func conformReal(t *testing.T, program string) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	start := realRegistry
	if program == realserver.Distribution {
		start = openRegistry
	}
	addr, images := start(t, program), 0
	targettest.RunOnServer(t, func(t *testing.T) targettest.Fixture {
		images++
		f := newPlaceOf(t, fmt.Sprintf("%s/team/blog%d:live", addr, images)).fixture()
		f.KeepsAll = program == realserver.DockerRegistry // as Debian sets it up
		return f
	})
}
