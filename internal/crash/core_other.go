//go:build !unix

package crash

func dropCore() {}
