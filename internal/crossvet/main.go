// Command crossvet type-checks this module and all that it imports for other systems, its tests
// included, and runs the analyzers of go vet over its own packages. It finds what would not compile
// there in seconds, where a build for each system takes minutes: no machine code is made, and the
// bodies of functions of other modules are skipped.
//
//	crossvet windows/amd64 darwin/arm64 …
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crossvet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, systems []string) error {
	if len(systems) == 0 {
		return errors.New("name the systems, such as windows/amd64")
	}
	var errs []error
	for _, name := range systems {
		goos, goarch, ok := strings.Cut(name, "/")
		if !ok {
			return fmt.Errorf("%q is not a system such as windows/amd64", name)
		}
		problems, err := vet(ctx, ".", goos, goarch)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, p := range problems {
			errs = append(errs, fmt.Errorf("%s: %s", name, p))
		}
	}
	return errors.Join(errs...)
}
