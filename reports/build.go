package reports

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// Build tells what this binary was made from.
type Build struct {
	Schema   string `json:"schema"` // mirror.version/v1
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// BuildOf reads what the running binary says of itself, which has the given version.
func BuildOf(version string) Build {
	b := Build{Schema: "mirror.version/v1", Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Revision = s.Value
			}
		}
	}
	return b
}

// Text writes the version in one line.
func (b Build) Text(w io.Writer, _ Style) error {
	_, err := fmt.Fprintf(w, "mirror %s %s %s\n", b.Version, b.Platform, b.Go)
	return err
}
