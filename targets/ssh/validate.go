package ssh

import (
	"mirror/targets"
	"mirror/targets/internal/releasedir"
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

// modesOf returns the modes for a file mode in octal digits; "" is the default.
func modesOf(text string) (remote.Modes, error) {
	file, folder, err := releasedir.ParseMode(text)
	return remote.Modes{File: file, Folder: folder}, err
}
