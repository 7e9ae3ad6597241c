package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// CSV writes one row a difference (RFC 4180, with a header), those that are tolerated too. An
// origin that could not be seen at all has one row, with the path "*". The last column is how many
// pages a row stands for. A cell that a
// spreadsheet would take for a formula begins with an apostrophe.
func (c Check) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := [][]string{{"origin", "path", "url", "kind", "want", "got", "status", "location", "release", "behind", "published", "detail", "tolerated", "pages"}}
	for _, d := range c.findings() {
		rows = append(rows, d.csvCells())
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

func (d Drift) csvCells() []string {
	published := ""
	if !d.Published.IsZero() {
		published = d.Published.UTC().Format(time.RFC3339)
	}
	return []string{
		cell(d.Origin), cell(d.Path), cell(d.URL), cell(string(d.Kind)), d.Want.String(), d.Got.String(), number(d.Status),
		cell(d.Location), cell(string(d.Release)), number(d.Behind), published, cell(d.Detail), cell(d.Tolerated), strconv.Itoa(d.pages()),
	}
}

// number leaves the cell of what is not known empty.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// cell defuses what begins like a formula, also after blanks, which spreadsheets trim.
func cell(text string) string {
	text = clean(text)
	if begin := strings.TrimSpace(text); begin != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(begin)[0]) {
		return "'" + text
	}
	return text
}
