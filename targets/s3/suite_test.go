package s3_test

import (
	"testing"

	"mirror/targets/targettest"
)

func TestSuiteOnGateway(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Fixture { return gateway(t).fixture() })
}

func TestSuiteOnFake(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Fixture { return fake(t).fixture() })
}
