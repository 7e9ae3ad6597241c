package dir

// WithoutLinks has the target make pointer files in the place of symbolic links.
func WithoutLinks(t *Target) *Target {
	t.plain = true
	return t
}

// OnSystem has the target believe that its folder is on Windows, or on a file system that folds names.
func OnSystem(t *Target, windows, folds bool) *Target {
	t.names = system{windows: windows, folds: folds}
	return t
}
