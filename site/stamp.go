package site

// entry is what a cache remembers of one file.
type entry struct {
	stamp  stamp
	digest Digest
}

// stamp is what stat(2) tells of a file: what must stay for its digest to be trusted.
type stamp struct {
	size         int64
	mtime, ctime int64 // nanoseconds since 1970
	inode        uint64
}
