//go:build !windows

package console

import "os"

func interpret(*os.File) bool { return true }
