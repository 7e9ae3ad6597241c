package origin_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"mirror/internal/origin"
)

// stream is one request by HTTP/2, to be answered by hand.
type stream struct {
	*http2.Framer
	conn net.Conn
	id   uint32
}

// header answers with some fields.
func (s *stream) header(end bool, fields ...string) {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}

// talkHTTP2 serves HTTP/2 by hand: do gets each request.
func talkHTTP2(t *testing.T, do func(s *stream)) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate(trusted, nil)}, NextProtos: []string{"h2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go accept(t.Context(), l, func(c net.Conn) {
		if _, err := io.CopyN(io.Discard, c, int64(len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(c, c)
		framer.WriteSettings()
		for {
			f, err := framer.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					framer.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				do(&stream{framer, c, f.StreamID})
			}
		}
	})
	return "https://" + l.Addr().String()
}

// resetWith ends each request with an error code.
func resetWith(code http2.ErrCode) func(s *stream) {
	return func(s *stream) { s.WriteRSTStream(s.id, code) }
}

// goAway ends the connection, and says which stream was the last that it has seen.
func goAway(last uint32) func(s *stream) {
	return func(s *stream) {
		s.WriteGoAway(last, http2.ErrCodeEnhanceYourCalm, []byte("\x1b[31m"))
		s.conn.Close()
	}
}

// flood sends the same for as long as the client takes it.
func flood(send func(s *stream) error) func(s *stream) {
	return func(s *stream) {
		for send(s) == nil {
			continue
		}
	}
}

func TestHostileHTTP2(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(s *stream)
		status int
		want   origin.Cause
	}{
		"an answer":      {func(s *stream) { s.header(true, ":status", "200") }, 200, ""},
		"a hung stream":  {func(*stream) {}, 0, origin.TimedOut},
		"resets":         {resetWith(http2.ErrCodeInternal), 0, origin.BadHTTP2},
		"cancels":        {resetWith(http2.ErrCodeCancel), 0, origin.BadHTTP2},
		"refuses always": {resetWith(http2.ErrCodeRefusedStream), 0, origin.TimedOut},
		"resets in the body": {func(s *stream) {
			s.header(false, ":status", "200")
			s.WriteData(s.id, false, []byte("abc"))
			s.WriteRSTStream(s.id, http2.ErrCodeInternal)
		}, 200, origin.BadHTTP2},
		"goes away always":                   {goAway(0), 0, origin.BadHTTP2},
		"goes away, having seen the request": {goAway(1), 0, origin.BadHTTP2},
		"goes away in the body": {func(s *stream) {
			s.header(false, ":status", "200")
			goAway(1)(s)
		}, 200, origin.BadHTTP2},
		"hung in its body": {func(s *stream) { s.header(false, ":status", "200") }, 200, origin.TimedOut},
		"a length too long": {func(s *stream) {
			s.header(false, ":status", "200", "content-length", "9")
			s.WriteData(s.id, true, []byte("abc"))
		}, 200, origin.Cut},
		"more than its length": {func(s *stream) {
			s.header(false, ":status", "200", "content-length", "1")
			s.WriteData(s.id, true, []byte("abc"))
		}, 200, origin.Malformed},
		"status abc":         {func(s *stream) { s.header(true, ":status", "abc") }, 0, origin.BadHTTP2},
		"no status":          {func(s *stream) { s.header(true, "x", "y") }, 0, origin.BadHTTP2},
		"endless 103s":       {flood(func(s *stream) error { s.header(false, ":status", "103"); return s.WritePing(false, [8]byte{}) }), 0, origin.BadHTTP2},
		"pings without end":  {flood(func(s *stream) error { return s.WritePing(false, [8]byte{}) }), 0, origin.TimedOut},
		"settings for ever":  {flood(func(s *stream) error { return s.WriteSettings() }), 0, origin.TimedOut},
		"an endless header":  {flood(func(s *stream) error { return s.WriteContinuation(s.id, false, make([]byte, 1000)) }), 0, origin.BadHTTP2},
		"data for no stream": {func(s *stream) { s.WriteData(s.id+100, true, []byte("abc")) }, 0, origin.BadHTTP2},
		"a frame too large":  {func(s *stream) { s.WriteRawFrame(http2.FrameData, 0, s.id, make([]byte, 1<<20)) }, 0, origin.BadHTTP2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ends(t, talkHTTP2(t, c.do), ask, c.want == origin.TimedOut, c.status, c.want)
		})
	}
}
