package diff_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"mirror/diff"
)

// declaredKinds lists the constants of kind.go, which are the kinds of drift.
func declaredKinds(t *testing.T) []diff.Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []diff.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, value := range spec.Values {
			if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING {
				kinds = append(kinds, diff.Kind(strings.Trim(text.Value, `"`)))
			}
		}
		return true
	})
	return kinds
}

// TestEveryKindIsDescribed holds that a new kind of drift is not half there: whatever shows
// kinds takes what it says from KindInfos.
func TestEveryKindIsDescribed(t *testing.T) {
	declared, listed := declaredKinds(t), diff.Kinds()
	if len(declared) < 8 || len(declared) != len(listed) {
		t.Fatalf("%d kinds are declared: %s; KindInfos has %d: %s", len(declared), declared, len(listed), listed)
	}
	manual, err := os.ReadFile("../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range declared {
		info := kind.Info()
		for name, text := range map[string]string{"Short": info.Short, "What": info.What, "Why": info.Why, "Todo": info.Todo} {
			if text == "" {
				t.Errorf("%s has no %s in KindInfos", kind, name)
			}
		}
		if !strings.Contains(string(manual), "\n| `"+string(kind)+"` |") {
			t.Errorf("docs/check.md has no row for %s", kind)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		states []diff.State
		want   diff.State
	}{
		{nil, ""},
		{[]diff.State{diff.Agrees, diff.Agrees}, diff.Agrees},
		{[]diff.State{diff.Agrees, diff.Unknown}, diff.Unknown},
		{[]diff.State{diff.Unknown, diff.CannotBeSeen, diff.Agrees}, diff.CannotBeSeen},
		{[]diff.State{diff.CannotBeSeen, diff.Drifts, diff.Agrees}, diff.Drifts},
	} {
		if got := diff.Worst(c.states...); got != c.want {
			t.Errorf("Worst(%q) is %q, want %q", c.states, got, c.want)
		}
	}
}
