// Package browser shows pages to the tests in Debian's Chromium, headless, and notes what
// must not happen there: complaints on the console, requests to other hosts, and what keeps
// people out of a page.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"mirror/internal/realserver"
)

const (
	lifetime = 15 * time.Minute // of a browser
	patience = time.Minute      // with a page
)

// Browser is a headless Chromium with one page.
type Browser struct {
	t   testing.TB
	ctx context.Context

	mu    sync.Mutex
	wrong []string
	asked []string
}

// Start starts a browser that ends with the test. Without Chromium the test is skipped, and
// failed where MIRROR_REQUIRE_REAL is set.
func Start(t testing.TB) *Browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(realserver.Need(t, "chromium")), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true))
	b := &Browser{t: t}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Listen(b.ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

// note keeps what the page asked for and complained of.
func (b *Browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.wrong = append(b.wrong, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		b.wrong = append(b.wrong, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	}
}

func call[P, R any](b *Browser, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func run[T any](b *Browser, a chromedp.Action[T]) T {
	b.t.Helper()
	result, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// Look sets how wide the page is, in pixels, and which prefers-color-scheme it is asked for.
func (b *Browser) Look(width int64, scheme string) {
	b.t.Helper()
	run(b, chromedp.EmulateViewport(width, 900))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// Zone sets the time zone of the pages, by its IANA name.
func (b *Browser) Zone(name string) {
	b.t.Helper()
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: name})
}

// Open goes to an address and waits until the page is loaded.
func (b *Browser) Open(address string) {
	b.t.Helper()
	run(b, chromedp.Navigate(address))
}

// Follow clicks the first link that a CSS selector finds, and waits until the page behind it
// is loaded.
func (b *Browser) Follow(selector string) {
	b.t.Helper()
	click := func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q).click(); true", selector))(ctx, t)
		return chromedp.Void{}, err
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, click); err != nil {
		b.t.Fatalf("follow %s: %v", selector, err)
	}
}

// Press types keys: "\t" is Tab, "\r" is Enter.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	run(b, chromedp.KeyEvent(keys))
}

// Text is what the page says for an expression in JavaScript.
func (b *Browser) Text(expression string) string {
	b.t.Helper()
	return run(b, chromedp.Evaluate[string](expression))
}

// Holds reports whether an expression in JavaScript is true on the page.
func (b *Browser) Holds(expression string) bool {
	b.t.Helper()
	return run(b, chromedp.Evaluate[bool]("!!("+expression+")"))
}

// Do runs statements in JavaScript on the page.
func (b *Browser) Do(statements string) {
	b.t.Helper()
	run(b, chromedp.Evaluate[bool](statements+"\n;true"))
}

// Await polls the page until an expression holds, and ends the test when it has not for a
// minute.
func (b *Browser) Await(what, expression string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if b.Holds(expression) {
			return
		}
	}
	b.t.Fatalf("waited in vain for %s: the page shows\n%s", what, b.Text(`document.body.innerText`))
}

// Picture is the whole page, as a PNG.
func (b *Browser) Picture() []byte {
	b.t.Helper()
	whole := true
	return call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole}).Data
}

// View is what fits into the window, as a PNG.
func (b *Browser) View() []byte {
	b.t.Helper()
	return call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{}).Data
}

// Quiet fails the test for each complaint since the last call, and for each request to
// another host than that of home.
func (b *Browser) Quiet(home string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Errorf("the browser says: %s", w)
	}
	u, err := url.Parse(home)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, asked := range b.asked {
		if to, err := url.Parse(asked); err != nil || to.Host != u.Host {
			b.t.Errorf("a page asked another host: %s", asked)
		}
	}
	if len(b.asked) == 0 {
		b.t.Error("no request was noted at all")
	}
	b.wrong, b.asked = nil, nil
}

// Forgive forgets the complaints with a text, which the test provoked.
func (b *Browser) Forgive(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = slices.DeleteFunc(b.wrong, func(w string) bool { return strings.Contains(w, text) })
}
