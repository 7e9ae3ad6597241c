package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// grid is a table that is being filled. Widths count terminal cells, so that CJK names align.
type grid struct {
	out    io.Writer
	style  Style
	header []string
	cells  [][]string
}

// table starts a table.
func (s Style) table(w io.Writer, header ...string) *grid {
	return &grid{out: w, style: s, header: header}
}

func (r *grid) row(cells ...string) { r.cells = append(r.cells, cells) }

// render writes the table. Where it is wider than the terminal, columns that say nothing are
// left out, and the widest of the others wrapped; where even that is not enough, each row is
// a few lines.
func (r *grid) render() error {
	if err := r.write(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func (r *grid) write() error {
	widths := r.widths(twwidth.Width)
	if r.style.Width == 0 || sum(widths)+wideGap*len(widths) <= r.style.Width {
		return r.columns(widths, wideGap)
	}
	said := r.said()
	for _, short := range []int{middling, narrowest} {
		for _, gap := range []int{wideGap, narrowGap} {
			if widths, ok := shrink(said.widths(longestWord), r.style.width()-gap*len(said.header), short); ok {
				return said.columns(widths, gap)
			}
		}
	}
	return r.records()
}

// The blanks beside a column.
const (
	wideGap   = 2 // one on either side
	narrowGap = 1
)

// How narrow a column may be made. What is shorter, such as a release, a state or a kind of
// drift, is never wrapped; what is middling only where the last column alone cannot give way.
const (
	narrowest = 12
	middling  = 20
)

// widths are those of the columns where nothing is wrapped but the header, by its own measure.
func (r *grid) widths(ofHeader func(string) int) []int {
	widths := make([]int, len(r.header))
	for i, name := range r.header {
		widths[i] = ofHeader(name)
	}
	for _, row := range r.cells {
		for i, cell := range row {
			widths[i] = max(widths[i], twwidth.Width(cell))
		}
	}
	return widths
}

// said leaves out the columns in which no row says anything.
func (r *grid) said() *grid {
	silent := func(i int) bool {
		return !slices.ContainsFunc(r.cells, func(row []string) bool { return row[i] != "" && row[i] != "-" && row[i] != "none" })
	}
	kept := &grid{out: r.out, style: r.style, cells: make([][]string, len(r.cells))}
	for i, name := range r.header {
		if silent(i) {
			continue
		}
		kept.header = append(kept.header, name)
		for j, row := range r.cells {
			kept.cells[j] = append(kept.cells[j], row[i])
		}
	}
	return kept
}

// shrink makes the widest columns narrower, all to the same width, until their sum is within
// room. Those that are short stay as they are, but for the last one. ok is false where that is
// not enough.
func shrink(widths []int, room, short int) (narrower []int, ok bool) {
	last := len(widths) - 1
	for limit := slices.Max(append(widths, narrowest)); limit >= narrowest; limit-- {
		narrower = slices.Clone(widths)
		for i, w := range widths {
			least := short
			if i == last {
				least = narrowest
			}
			narrower[i] = min(w, max(limit, least))
		}
		if spare := room - sum(narrower); spare >= 0 {
			narrower[last] += min(spare, widths[last]-narrower[last])
			return narrower, true
		}
	}
	return nil, false
}

func sum(widths []int) (all int) {
	for _, w := range widths {
		all += w
	}
	return all
}

// columns writes the table with columns of these widths.
func (r *grid) columns(widths []int, gap int) error {
	symbols := tw.StyleASCII
	if r.style.Lines {
		symbols = tw.StyleLight
	}
	padding := tw.Padding{Right: tw.Space, Overwrite: true}
	if gap == wideGap {
		padding.Left = tw.Space
	}
	t := tablewriter.NewTable(r.out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Symbols:  tw.NewSymbols(symbols),
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
		})),
		tablewriter.WithPadding(padding),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithTrimSpace(tw.Off),
	)
	t.Header(wrapped(r.header, widths))
	for _, row := range r.cells {
		if err := t.Append(wrapped(row, widths)); err != nil {
			return err
		}
	}
	return t.Render()
}

// tallest is how many lines a cell may take.
const tallest = 6

func wrapped(row []string, widths []int) []string {
	cells := make([]string, len(row))
	for i, cell := range row {
		lines := wrap(cell, widths[i])
		if len(lines) > tallest {
			lines = lines[:tallest]
			lines[tallest-1] = headOf(lines[tallest-1], widths[i]-1) + "…"
		}
		cells[i] = strings.Join(lines, "\n")
	}
	return cells
}

// records writes each row as lines, one a column.
func (r *grid) records() error {
	var b strings.Builder
	label := 0
	for _, name := range r.header {
		label = max(label, twwidth.Width(name)+2)
	}
	for _, row := range r.cells {
		b.WriteString(strings.Repeat(r.dash(), r.style.width()) + "\n")
		for i, cell := range row {
			if cell == "" {
				continue
			}
			name := " " + r.header[i]
			for _, line := range wrap(cell, r.style.width()-label-1) {
				b.WriteString(name + strings.Repeat(" ", label+1-twwidth.Width(name)) + line + "\n")
				name = ""
			}
		}
	}
	_, err := io.WriteString(r.out, b.String())
	return err
}

func (r *grid) dash() string {
	if r.style.Lines {
		return "─"
	}
	return "-"
}
