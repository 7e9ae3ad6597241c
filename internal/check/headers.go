package check

import (
	"net/http"

	"mirror/diff"
)

// judgeHeaders compares the headers of pages that are right in all else. expected is as in Headers.
func judgeHeaders(wants []diff.Expectation, visits []*visit, book *headerBook, expected func(origin, path, name string) string) {
	names := make([]string, len(visits))
	for i, v := range visits {
		names[i] = v.at.Name
	}
	for h, header := range book.names {
		found := make([][]diff.Difference, len(visits))
		sent, values := make([]*string, len(visits)), make([]string, len(visits))
		for page, want := range wants {
			for i, v := range visits {
				sent[i] = book.sent[h][i][page]
				if expected != nil {
					values[i] = expected(v.at.Name, want.File.Path, header)
				}
			}
			for i, detail := range diff.JudgeHeader(header, names, sent, values) {
				if detail != "" {
					found[i] = append(found[i], visits[i].headerDrift(page, detail))
				}
			}
		}
		for i, v := range visits {
			v.verdict.AddHeaders(found[i])
		}
	}
}

func (v *visit) headerDrift(page int, detail string) diff.Difference {
	f := v.wants[page].File
	first, last := v.verdict.Times.Looks.Of(f.Path)
	return diff.Difference{
		Origin: v.at.Name, Path: f.Path, URL: v.at.URL.String() + v.page(page).URL, Kind: diff.Headers,
		Want: f.Digest, Got: f.Digest, Status: http.StatusOK, Detail: detail,
		Asked: first, Answered: last,
	}
}
