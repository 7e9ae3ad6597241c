package mixedcontent

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
)

// maxRead bounds how many bytes of a site's pages are read.
const maxRead = 64 << 20

// Pages is what several pages of a site load over http.
type Pages struct {
	Found        // but for its examples
	Pages    int // that load something
	Examples []string
	Left     int // pages that were not read
}

// ReadPages looks at those of the files that are pages or style sheets, in their order, until 64 MiB are read. A
// file that cannot be read is left out.
func ReadPages(ctx context.Context, files []string, open func(file string) (io.ReadCloser, error)) (p Pages) {
	s, left := &Scanner{}, int64(maxRead)
	for _, file := range files {
		ext := strings.ToLower(path.Ext(file))
		if ext != ".html" && ext != ".htm" && ext != ".xhtml" && ext != ".css" {
			continue
		}
		if ctx.Err() != nil || left <= 0 {
			p.Left++
			continue
		}
		f, err := open(file)
		if err != nil {
			continue
		}
		s.Reset(ext == ".css")
		n, err := io.Copy(s, io.LimitReader(f, left))
		left -= n
		if f.Close() != nil || err != nil {
			continue
		}
		p.add(file, s.Found())
	}
	return p
}

func (p *Pages) add(file string, f Found) {
	if f.Count == 0 {
		return
	}
	p.Count, p.Active, p.Pages = p.Count+f.Count, p.Active+f.Active, p.Pages+1
	for _, r := range f.Examples {
		if len(p.Examples) < maxExamples {
			p.Examples = append(p.Examples, fmt.Sprintf("%s loads %s %s", file, r.Element, r.URL))
		}
	}
}

// String tells of it in a line for people, "" where there is nothing to tell.
func (p Pages) String() string {
	if p.Count == 0 {
		return ""
	}
	text := fmt.Sprintf("http:// resources in pages of the site, which browsers refuse where the page comes over https (mixed content): %d in %d of the new and changed pages, %d of them active: %s",
		p.Count, p.Pages, p.Active, strings.Join(p.Examples, "; "))
	if n := p.Count - len(p.Examples); n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	if p.Left > 0 {
		text += fmt.Sprintf(" (%d more pages were not read)", p.Left)
	}
	return text
}
