package ssh

import (
	"errors"
	"io/fs"
	"strconv"

	"mirror/targets"
	"mirror/targets/ssh/internal/remote"
)

// Validate refuses an address that cannot be reached over ssh, and a mode that files cannot have.
func (c Config) Validate(wrong targets.Wrong) {
	if c.URL != "" {
		if _, err := parseAddress(c.URL); err != nil {
			wrong("url", err.Error())
		}
	}
	if _, err := modesOf(c.Mode); err != nil {
		wrong("mode", err.Error())
	}
}

// defaultMode lets the user of every web server read.
const defaultMode = 0o644

// modesOf returns the modes for a file mode in octal digits; "" is the default.
func modesOf(text string) (remote.Modes, error) {
	file := fs.FileMode(defaultMode)
	if text != "" {
		n, err := strconv.ParseUint(text, 8, 16)
		if file = fs.FileMode(n); err != nil || file&^0o666 != 0 || file&0o600 != 0o600 {
			return remote.Modes{}, errors.New("is not a mode of files (hint: \"0644\", or \"0640\" where the web server is in the group; the owner must be able to read and write)")
		}
	}
	return remote.Modes{File: file, Folder: file | file&0o444>>2}, nil
}
