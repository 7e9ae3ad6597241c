package check

import (
	"net/http"

	"mirror/diff"
)

// compareHeaders adds to the visits' verdicts where the headers of pages differ that are right in
// all else.
func compareHeaders(visits []*visit, wants []diff.Expectation, book *headerBook, promise func(origin, path, name string) string) {
	names := make([]string, len(visits))
	for i, v := range visits {
		names[i] = v.at.Name
	}
	for h, header := range book.names {
		found := make([][]diff.Difference, len(visits))
		sent, promised := make([]*string, len(visits)), make([]string, len(visits))
		for page, want := range wants {
			for i, v := range visits {
				sent[i] = book.sent[h][i][page]
				if promise != nil {
					promised[i] = promise(v.at.Name, want.File.Path, header)
				}
			}
			for i, detail := range diff.JudgeHeader(header, names, sent, promised) {
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
	return diff.Difference{
		Origin: v.at.Name, Path: f.Path, URL: v.at.URL.String() + v.page(page).URL, Kind: diff.Headers,
		Want: f.Digest, Got: f.Digest, Status: http.StatusOK, Detail: detail,
	}
}
