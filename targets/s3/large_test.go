package s3_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/internal/longtest"
	"mirror/targets"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

const (
	partSize = 5 << 20 // the least that services take
	film     = "media/film.mp4"
	filmSize = 3*partSize + 1234
)

// partly is a transport that lets all parts of an upload pass but one, which fails when the others have been stored.
type partly struct {
	fails  string // the number of the part
	others int

	mu     sync.Mutex
	stored int
	all    chan struct{} // closed when the others are stored
	sent   []string      // numbers of the parts
	now    int           // parts on their way
	most   int
}

func newPartly(fails string, others int) *partly {
	return &partly{fails: fails, others: others, all: make(chan struct{})}
}

func (p *partly) RoundTrip(r *http.Request) (*http.Response, error) {
	number := r.URL.Query().Get("partNumber")
	if number == "" || r.Method != http.MethodPut {
		return http.DefaultTransport.RoundTrip(r)
	}
	p.begin(number)
	if number == p.fails {
		select {
		case <-p.all:
		case <-time.After(2 * time.Minute):
		}
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		p.end(false)
		return nil, errors.New("the network went away")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		body, readErr := io.ReadAll(resp.Body)
		resp.Body, err = io.NopCloser(bytes.NewReader(body)), readErr
	}
	p.end(err == nil)
	return resp, err
}

func (p *partly) begin(number string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, number)
	p.now++
	p.most = max(p.most, p.now)
}

func (p *partly) end(stored bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now--
	if stored {
		if p.stored++; p.stored == p.others {
			close(p.all)
		}
	}
}

// parts are the numbers of the parts that were sent, in order.
func (p *partly) parts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.sent))
}

// withParts is a target that sends large files in small parts.
type withParts interface {
	targets.Target
	targets.Pruner
	SetParts(one, part int64)
}

// uploads lists the uploads that are not complete.
func (p *place) uploads(t *testing.T) []string {
	t.Helper()
	out, err := p.api.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &p.bucket})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, u := range out.Uploads {
		all = append(all, aws.ToString(u.Key)+" "+aws.ToString(u.UploadId))
	}
	return all
}

// large tests on services and layouts: "gateway live".
func large(t *testing.T, on []string, test func(t *testing.T, p *place, open func(owner string, transport http.RoundTripper) withParts)) {
	once(t)
	for _, name := range on {
		t.Run(name, func(t *testing.T) {
			service, layout, _ := strings.Cut(name, " ")
			p := map[string]func(testing.TB) *place{"gateway": gateway, "fake": fake}[service](t)
			test(t, p, func(owner string, transport http.RoundTripper) withParts {
				env := targets.Env{Owner: owner, Transport: transport}
				tgt := withParts(p.openWith(t, env))
				if layout == "pointer" {
					tgt = p.pointedWith(t, env)
				}
				tgt.SetParts(partSize, partSize)
				return tgt
			})
		})
	}
}

// filmed is a site with a large file.
func filmed() targettest.Files {
	return targettest.Files{"index.html": "with a film", film: random(rand.New(rand.NewPCG(3, 3)), filmSize)}
}

// TestLargeFileContinues interrupts the upload of a large file: the next publish, from another machine, sends only the
// parts that the bucket does not have, or has with other bytes.
func TestLargeFileContinues(t *testing.T) {
	longtest.Skip(t, "uploads large files")
	files := filmed()
	large(t, []string{"gateway live", "fake live", "fake pointer"}, func(t *testing.T, p *place, open func(string, http.RoundTripper) withParts) {
		publish(t, open("a", nil), targettest.Release(targettest.Files{"index.html": "no film"}))
		broken := newPartly("3", 3)
		if _, err := targettest.Publish(t.Context(), open("a", broken), targettest.Release(files)); err == nil {
			t.Fatal("published although a part was not stored")
		}
		if got := broken.parts(); !slices.Equal(got, []string{"1", "2", "3", "4"}) || broken.most > 4 {
			t.Errorf("sent the parts %q, at most %d at once; want four, and four at once", got, broken.most)
		}
		begun := p.uploads(t)
		if len(begun) != 1 {
			t.Fatalf("uploads: %q, want one", begun)
		}
		key, id, _ := strings.Cut(begun[0], " ")
		other := bytes.Repeat([]byte("x"), partSize)
		in := &awss3.UploadPartInput{Bucket: &p.bucket, Key: &key, UploadId: &id, PartNumber: aws.Int32(2), Body: bytes.NewReader(other)}
		if _, err := p.api.UploadPart(t.Context(), in); err != nil {
			t.Logf("the service takes no part without a checksum: %v", err)
			other = nil
		}
		rest := newPartly("none", 0)
		tgt := open("b", rest)
		publish(t, tgt, targettest.Release(files))
		want := []string{"2", "3"}
		if other == nil {
			want = []string{"3"}
		}
		if got := rest.parts(); !slices.Equal(got, want) {
			t.Errorf("the next publish sent the parts %q, want %q", got, want)
		}
		held, err := open("c", nil).ReadBack(t.Context())
		if err != nil || held.ID() != targettest.Release(files).ID() {
			t.Errorf("read back: release %s, %v", held.ID().Short(), err)
		}
		if left := slices.Concat(p.uploads(t), p.keys(t, ".mirror/uploads/")); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
		if _, live := tgt.(*s3.Target); live {
			p.wantHeader(t, film, "video/mp4", "", "")
		}
	})
}

// TestInterruptedUploadIsGivenUp: a publisher gives up what it has begun and does not need, and what another publisher
// has begun when that can no longer be at work.
func TestInterruptedUploadIsGivenUp(t *testing.T) {
	longtest.Skip(t, "waits for an upload to be given up")
	files := filmed()
	large(t, []string{"gateway live", "fake pointer"}, func(t *testing.T, p *place, open func(string, http.RoundTripper) withParts) {
		interrupt := func() {
			t.Helper()
			if _, err := targettest.Publish(t.Context(), open("a", newPartly("1", 3)), targettest.Release(files)); err == nil {
				t.Fatal("published although a part was not stored")
			}
		}
		wantUploads := func(want int) {
			t.Helper()
			if n := len(p.uploads(t)); n != want || len(p.keys(t, ".mirror/uploads/")) != want {
				t.Errorf("%d uploads, notes %q; want %d of each", n, p.keys(t, ".mirror/uploads/"), want)
			}
		}
		publish(t, open("b", nil), targettest.Release(targettest.Files{"index.html": "1"}))
		interrupt()
		publish(t, open("b", nil), targettest.Release(targettest.Files{"index.html": "2"}))
		if err := open("b", nil).Prune(t.Context(), targets.Retention{Keep: 1}); err != nil {
			t.Fatal(err)
		}
		wantUploads(1) // it may be at work
		publish(t, open("a", nil), targettest.Release(targettest.Files{"index.html": "3"}))
		wantUploads(0)
		interrupt()
		if err := open("b", nil).Prune(t.Context(), targets.Retention{Keep: 1, Grace: -time.Minute}); err != nil {
			t.Fatal(err)
		}
		wantUploads(0)
	})
}
