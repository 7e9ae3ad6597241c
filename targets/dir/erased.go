package dir

import (
	"bytes"
	"io"

	"mirror/internal/regular"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

// readErased reads the record.
func (p *place) readErased() targets.Erased {
	r, err := regular.OpenOwn(p.root, releasedir.Erased)
	if err != nil {
		return nil
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, targets.MaxErasedBytes+1))
	if err != nil {
		return nil
	}
	return targets.DecodeErased(text)
}

func (p *place) writeErased(l targets.Erased) error {
	if len(l) == 0 {
		return nil
	}
	made := releasedir.Erased + releasedir.Partial
	err := p.root.RemoveAll(made)
	if err == nil {
		err = modes{file: 0o600}.write(p.root, made, bytes.NewReader(l.Encode()))
	}
	if err == nil {
		err = p.clearOdd(releasedir.Erased)
	}
	if err == nil {
		err = p.root.Rename(made, releasedir.Erased)
	}
	return err
}
