package workspace_test

import (
	"context"
	"strings"
	"testing"

	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/internal/vantage"
	"mirror/internal/vantage/windows"
	"mirror/internal/workspace"
)

// nowhere is places of which none is enrolled.
type nowhere struct{}

func (nowhere) Look(context.Context, []origin.Endpoint, check.Options) (vantage.Views, error) {
	return vantage.Views{}, nil
}

func (nowhere) Windows() *windows.Places { return nil }

// A check that is to look from other places and has none says so, in both modes.
func TestCheckWithoutAgentsSaysSo(t *testing.T) {
	t.Parallel()
	p := newPagesWorld(t, "1m")
	p.publish()
	for _, mode := range []vantage.Mode{"each", vantage.Spread} {
		p.Config.Vantages.Mode = string(mode)
		p.LookFrom(nowhere{})
		v, err := p.Check(t.Context(), workspace.CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if notes := strings.Join(v.Notes, "\n"); !strings.Contains(notes, "no agent is enrolled") {
			t.Errorf("%s: got the notes %q", mode, notes)
		}
	}
}
