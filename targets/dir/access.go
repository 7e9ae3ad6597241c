package dir

import "mirror/targets"

// Access is the folder.
func (c Config) Access() []targets.Access { return []targets.Access{{Key: "path", File: c.Path}} }
