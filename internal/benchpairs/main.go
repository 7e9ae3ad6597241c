// Command benchpairs runs the same benchmarks in two working trees, one after the other and many
// times over, and says for each figure how much larger it is in the second: the median of the ratios
// of the pairs, with a 95 % confidence interval. What else the machine does falls on both alike.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// most bounds one run of one package's benchmarks.
const most = 10 * time.Minute

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "benchpairs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("benchpairs", flag.ContinueOnError)
	before, after := set.String("old", "", "working tree to compare with"), set.String("new", ".", "working tree that is compared")
	pairs, bench := set.Int("pairs", 15, "how many pairs of runs"), set.String("bench", ".", "pattern of the benchmarks")
	duration, limit := set.String("benchtime", "1s", "as of go test"), set.Float64("limit", 1.05, "largest ratio that the interval may lie above")
	if err := set.Parse(args); err != nil {
		return err
	}
	if *before == "" || set.NArg() == 0 {
		return fmt.Errorf("usage: benchpairs -old TREE [-new TREE] PACKAGE… (as ./internal/check)")
	}
	dir, err := os.MkdirTemp("", "benchpairs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	slower := 0
	for _, pkg := range set.Args() {
		p := comparedPackage{name: pkg, dir: dir, trees: [2]string{*before, *after}, args: []string{"-test.run=^$", "-test.bench=" + *bench, "-test.benchtime=" + *duration}}
		samples, err := p.measure(ctx, *pairs)
		if err != nil {
			return err
		}
		slower += report(os.Stdout, pkg, samples, *limit)
	}
	if slower > 0 {
		return fmt.Errorf("%d figures are larger than %.2f times what they were", slower, *limit)
	}
	return nil
}

// comparedPackage is a package in two trees.
type comparedPackage struct {
	name, dir string
	trees     [2]string
	args      []string
}

// measure runs the pairs, each in the other order than the one before.
func (p comparedPackage) measure(ctx context.Context, pairs int) (samples, error) {
	var programs [2]string
	for i, tree := range p.trees {
		programs[i] = filepath.Join(p.dir, fmt.Sprintf("%s-%d.test", strings.NewReplacer("/", "-", ".", "").Replace(p.name), i))
		build := exec.CommandContext(ctx, "go", "test", "-c", "-o", programs[i], p.name)
		build.Dir = tree
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s in %s: %w: %s", p.name, tree, err, out)
		}
	}
	all := samples{}
	for n := range pairs {
		var got [2]figures
		for k := range 2 {
			i := (n + k) % 2
			out, err := p.bench(ctx, programs[i], filepath.Join(p.trees[i], p.name))
			if err != nil {
				return nil, err
			}
			got[i] = parse(out)
		}
		all.add(got[0], got[1])
		fmt.Fprintf(os.Stderr, "%s: pair %d of %d\n", p.name, n+1, pairs)
	}
	return all, nil
}

// bench runs the benchmarks once in the folder of their package, as go test does.
func (p comparedPackage) bench(ctx context.Context, program, folder string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, p.args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s in %s: %w: %s", p.name, folder, err, out)
	}
	return string(out), nil
}
