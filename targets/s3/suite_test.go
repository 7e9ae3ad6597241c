package s3_test

import (
	"os"
	"testing"

	"mirror/internal/longtest"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

var (
	_ targets.Pruner       = (*s3.Target)(nil)
	_ targets.Historian    = (*s3.Target)(nil)
	_ targets.Eraser       = (*s3.Target)(nil)
	_ targets.Gracer       = (*s3.Target)(nil)
	_ targets.Restorer     = (*s3.Target)(nil)
	_ targets.Eraser       = s3.Pointed{}
	_ targets.Gracer       = s3.Pointed{}
	_ targets.PurgedLister = (*s3.Target)(nil)
	_ targets.PurgedLister = s3.Pointed{}
)

// TestMain has no bundle of certificates of the machine's own: each target that is opened would read it,
// which takes most of a test's time under the race detector.
func TestMain(m *testing.M) {
	if err := os.Unsetenv("AWS_CA_BUNDLE"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// once sends each request once: the suite breaks the network for good, and trying again
// would only take time.
func once(t *testing.T) { t.Setenv("AWS_MAX_ATTEMPTS", "1") }

func TestSuiteOnGateway(t *testing.T) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	once(t)
	targettest.RunOnServer(t, func(t *testing.T) targettest.Fixture { return gateway(t).fixture() })
}

func TestSuiteOnFake(t *testing.T) {
	once(t)
	targettest.Run(t, func(t *testing.T) targettest.Fixture { return fake(t).fixture() })
}
