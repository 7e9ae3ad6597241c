package releasedir

import (
	"errors"
	"io/fs"
	"strconv"
)

// defaultMode lets the user of every web server read.
const defaultMode = 0o644

// ParseMode returns the modes of files and of folders for a file mode in octal digits; "" is the default.
func ParseMode(text string) (file, folder fs.FileMode, err error) {
	file = defaultMode
	if text != "" {
		n, err := strconv.ParseUint(text, 8, 16)
		if file = fs.FileMode(n); err != nil || file&^0o666 != 0 || file&0o600 != 0o600 {
			return 0, 0, errors.New("is not a mode of files (hint: \"0644\", or \"0640\" where the web server is in the group; the owner must be able to read and write)")
		}
	}
	return file, file | file&0o444>>2, nil
}
