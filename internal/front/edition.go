package front

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mirror/internal/front/blobs"
	"mirror/internal/front/record"
	"mirror/site"
	"mirror/targets/grace"
)

// edition is a release as it is served. It does not change, but for the contents that its pages remember.
type edition struct {
	standing
	rollback bool
	manifest site.Manifest
	pages    map[string]*page // by path
	beacon   *page
	beside   map[string]*keptPage // files of earlier releases that stay served
}

// keptPage is a file of an earlier release that stays served for a while.
type keptPage struct {
	page
	entry grace.Entry
}

// withGrace adds the files of earlier releases that a policy lets stay. Nothing else may use e yet.
func (e *edition) withGrace(l grace.List) *edition {
	e.beside = make(map[string]*keptPage, len(l))
	for _, entry := range l {
		kept := &keptPage{entry: entry}
		kept.file = site.File{Path: entry.Path, Size: entry.Size, Digest: entry.Digest}
		e.beside[entry.Path] = kept
	}
	return e
}

// list returns the files beside the release, in path order.
func (e *edition) list() grace.List {
	var l grace.List
	for _, path := range slices.Sorted(maps.Keys(e.beside)) {
		l = append(l, e.beside[path].entry)
	}
	return l
}

// kept returns a file of an earlier release that stays served now, nil for none.
func (e *edition) kept(urlPath string, policy *grace.Policy) *page {
	k := e.beside[strings.TrimPrefix(urlPath, "/")]
	if k == nil || !policy.Stays(k.entry, time.Now()) {
		return nil
	}
	return &k.page
}

// page is a file of an edition.
type page struct {
	file   site.File
	fields atomic.Pointer[fields]
	blob   atomic.Pointer[blobs.Blob] // of a small content that was served before

	variants []*page // the same page compressed, as files of the release; the best first
	coding   string  // of a variant: its Content-Encoding
	of       string  // of a variant: the path of the page
}

// tag is the ETag: the digest.
func (p *page) tag() string {
	text := [2*len(p.file.Digest) + 2]byte{0: '"'}
	hex.Encode(text[1:], p.file.Digest[:])
	text[len(text)-1] = '"'
	return string(text[:])
}

// newEdition makes the edition of a release. beaconPath is that of its beacon, "" for none.
func newEdition(b site.Beacon, m site.Manifest) *edition {
	e := &edition{manifest: m, pages: make(map[string]*page, len(m))}
	all := make([]page, len(m))
	for i, f := range m {
		all[i].file = f
		e.pages[f.Path] = &all[i]
	}
	e.pair()
	return e.at(standing{b.Release, b.Sequence, b.Published}, b.Rollback)
}

// codings are the Content-Encodings of the files that a site may hold beside a page, the best first.
func codings() [][2]string { return [][2]string{{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}} }

// pair finds the pages that the release has compressed too: style.css.br beside style.css.
func (e *edition) pair() {
	for _, c := range codings() {
		for path, p := range e.pages {
			base := e.pages[strings.TrimSuffix(path, c[1])]
			if base == nil || base == p {
				continue
			}
			v := &page{file: p.file, coding: c[0], of: base.file.Path}
			base.variants = append(base.variants, v)
		}
	}
}

// best returns the variant of a page that a visitor accepts, else the page.
func (p *page) best(accepts []string) *page {
	for _, v := range p.variants {
		for _, header := range accepts {
			if acceptsCoding(header, v.coding) {
				return v
			}
		}
	}
	return p
}

// acceptsCoding reads an Accept-Encoding header (RFC 9110, section 12.5.3). What stands for any coding is
// not taken up.
func acceptsCoding(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, weighted := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		return !weighted || strings.Trim(q, "0.") != ""
	}
	return false
}

// at returns the same release at another place in the order.
func (e *edition) at(s standing, rollback bool) *edition {
	next := &edition{standing: s, rollback: rollback, manifest: e.manifest, pages: e.pages, beside: e.beside}
	text, err := json.Marshal(next.claim())
	if err != nil {
		panic(err) // the fields are plain
	}
	text = append(text, '\n')
	next.beacon = &page{file: site.File{Size: int64(len(text)), Digest: sha256.Sum256(text)}}
	next.beacon.fields.Store(&fields{contentType: []string{"application/json"}, cacheControl: []string{"no-cache"}})
	next.beacon.blob.Store(blobs.Fixed(text))
	return next
}

// claim is the beacon of the edition.
func (e *edition) claim() site.Beacon {
	return site.Beacon{
		Release: e.release, Published: e.published.UTC(), Files: len(e.manifest), Bytes: e.manifest.Bytes(), Sequence: e.sequence, Rollback: e.rollback,
	}
}

// record is what a restart serves.
func (e *edition) record() record.Release {
	return record.Release{Beacon: e.claim(), Manifest: e.manifest}
}

// find returns the page that a URL's path stands for. Where that is a folder without its slash, it
// returns the folder's name and no page.
func (e *edition) find(urlPath string, cleanURLs bool) (p *page, folder string) {
	name, rooted := strings.CutPrefix(urlPath, "/")
	if !rooted {
		return nil, ""
	}
	if name == "" || strings.HasSuffix(name, "/") {
		return e.pages[name+"index.html"], ""
	}
	if p := e.pages[name]; p != nil {
		return p, ""
	}
	if cleanURLs {
		if p := e.pages[name+".html"]; p != nil {
			return p, ""
		}
	}
	if e.pages[name+"/index.html"] != nil {
		return nil, name
	}
	return nil, ""
}
