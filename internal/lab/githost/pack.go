package githost

import (
	"bufio"
	"crypto/sha1"
	"encoding/binary"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/klauspost/compress/zlib"
)

// writePack sends the objects as a pack without deltas
// (https://git-scm.com/docs/gitformat-pack).
func (r *repository) writePack(out *bufio.Writer, names []plumbing.Hash) error {
	hash := sha1.New()
	w := io.MultiWriter(out, hash)
	header := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(names)))
	if _, err := w.Write(header); err != nil {
		return err
	}
	deflate, err := zlib.NewWriterLevel(w, zlib.BestSpeed)
	if err != nil {
		return err
	}
	for _, name := range names {
		e, ok := r.find(name)
		if !ok {
			return plumbing.ErrObjectNotFound
		}
		if _, err := w.Write(packHead(e)); err != nil {
			return err
		}
		deflate.Reset(w)
		if _, err := io.Copy(deflate, r.spool.Open(e.at)); err != nil {
			return err
		}
		if err := deflate.Close(); err != nil {
			return err
		}
	}
	_, err = out.Write(hash.Sum(nil))
	return err
}

// packHead is the type and size before an object in a pack: four bits of the size, then
// seven in each further byte.
func packHead(e entry) []byte {
	size := uint64(e.at.Size)
	head := []byte{byte(e.kind)<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		head[len(head)-1] |= 0x80
		head = append(head, byte(size&0x7f))
	}
	return head
}
