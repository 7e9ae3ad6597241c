package oci

import (
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

func conformReal(t *testing.T, program string) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	realserver.Need(t, program)
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		f := newPlace(t, realRegistry(t, program)).fixture()
		f.KeepsAll = program == realserver.DockerRegistry // as Debian sets it up
		return f
	})
}
