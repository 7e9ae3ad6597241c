package origin

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"mirror/site"
)

// read hashes the body as it was sent and as it decodes, each bounded by the page's limit.
func (a *attempt) read(resp *http.Response, o *site.Observation) error {
	c := a.client
	raw := &tally{r: resp.Body, hash: sha256.New(), limit: a.limit(), got: a.received}
	buf := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buf)
	encoding := encodingOf(resp.Header.Get("Content-Encoding"))
	also, done := a.listeners(resp)
	defer done()
	if encoding == "" {
		raw.also = also
		err := drain(raw, *buf)
		o.Size, o.Digest = raw.n, raw.digest()
		o.Raw = o.Digest
		if err != nil {
			o.Raw = site.Digest{}
		}
		return err
	}
	if a.KeepSent != nil {
		if w := a.KeepSent(resp.StatusCode, resp.Header); w != nil {
			raw.also = []io.Writer{w}
		}
	}
	return a.readEncoded(encoding, raw, also, *buf, o)
}

// encodingOf returns the codings of a body, "" where it is read as it was sent. Left out are
// those that change nothing, and aws-chunked, which some services store from an upload by an S3
// client. Where a coding is unknown, such as utf-8 or none, browsers show the body as it was sent,
// whatever other codings are named beside it, and so it is read here.
func encodingOf(header string) string {
	var codings []string
	for coding := range strings.SplitSeq(strings.ToLower(header), ",") {
		switch coding = strings.TrimPrefix(strings.TrimSpace(coding), "x-"); coding { // RFC 9110, section 8.4.1.3
		case "", "identity", "aws-chunked":
		case "gzip", "br", "zstd", "deflate":
			codings = append(codings, coding)
		default:
			return ""
		}
	}
	return strings.Join(codings, ", ")
}

// received counts what has come of the body.
func (a *attempt) received(n int64) {
	a.patience.got.Add(n)
	a.client.bytes.Add(n)
}

// listeners returns who else reads the decoded body.
func (a *attempt) listeners(resp *http.Response) (also []io.Writer, done func()) {
	done = func() {}
	if a.Keep != nil {
		if w := a.Keep(resp.StatusCode, resp.Header); w != nil {
			also = append(also, w)
		}
	}
	if m := a.client.learnt.Mixed.Scanner(resp); m != nil {
		also = append(also, m)
		done = func() { a.client.learnt.Mixed.Note(a.Path, m) }
	}
	return also, done
}

// readEncoded reads both forms of an encoded body. Where it does not decode, or to too
// much, Raw is told all the same if what was sent came whole: the site may hold that.
func (a *attempt) readEncoded(encoding string, raw *tally, also []io.Writer, buf []byte, o *site.Observation) error {
	sent := a.client.decoders.reader(raw)
	defer a.client.decoders.sent.Put(sent)
	body, done, err := a.client.decoders.open(a.ctx, encoding, sent)
	if err != nil {
		return a.undecoded(encoding, raw, err)
	}
	decoded := &tally{r: body, hash: sha256.New(), limit: raw.limit, also: also}
	err = drain(decoded, buf)
	done()
	o.Size, o.Digest = decoded.n, decoded.digest()
	switch {
	case decoded.unwanted != nil:
		return decoded.unwanted
	case decoded.n > decoded.limit && raw.n < decoded.n/denser:
		return tooLong(encoding, raw, decoded)
	}
	rest := drain(sent, buf) // what follows the encoded stream is part of the body too
	switch {
	case rest == nil:
		o.Raw = raw.digest()
	case err == nil:
		return rest
	}
	switch {
	case decoded.n > decoded.limit:
		return tooLong(encoding, raw, decoded)
	case err != nil:
		return a.undecoded(encoding, raw, err)
	}
	return nil
}

// denser is how many times smaller than its content no compressed file of a site is.
const denser = 100

// undecoded tells whose fault it was that a body could not be decoded.
func (a *attempt) undecoded(encoding string, raw *tally, err error) error {
	switch {
	case raw.err != nil && !errors.Is(raw.err, io.EOF):
		return raw.err
	case a.ctx.Err() != nil:
		return a.ctx.Err()
	}
	return brokenEncoding(encoding, err)
}

// tooLong is the error of a body that decodes to more than its page can have.
func tooLong(encoding string, raw, decoded *tally) error {
	if raw.n >= decoded.n/denser {
		return site.ErrTooLong
	}
	return fail(Bomb, fmt.Sprintf("%d bytes of %s decode to %d and more", raw.n, encoding, decoded.n), site.ErrBomb)
}

func drain(r io.Reader, buf []byte) error {
	for {
		if _, err := r.Read(buf); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// tally hashes and counts what passes, and ends a stream that is longer than its limit.
type tally struct {
	r        io.Reader
	hash     hash.Hash
	n, limit int64
	got      func(n int64) // may be nil
	also     []io.Writer
	err      error // that ended it
	unwanted error // of who else reads it
}

// Read hashes and counts what it reads, and gives site.ErrTooLong beyond the limit.
func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.hash.Write(p[:n])
	t.n += int64(n)
	if t.got != nil {
		t.got(int64(n))
	}
	for _, w := range t.also {
		if _, failed := w.Write(p[:n]); failed != nil {
			t.unwanted = fail(Unknown, "it was not read to its end: "+printable(failed.Error()), failed)
			return n, t.unwanted
		}
	}
	if t.n > t.limit {
		err = site.ErrTooLong
	}
	if err != nil {
		t.err = err
	}
	return n, err
}

func (t *tally) digest() (d site.Digest) {
	t.hash.Sum(d[:0])
	return d
}
