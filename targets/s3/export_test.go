package s3

// SetPage makes listings come in pages of n keys.
func (t *Target) SetPage(n int32) { t.page = n }
