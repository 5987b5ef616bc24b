//go:build !windows

package serve

import "syscall"

// openFiles is how many files the process may have open. Go raises the soft limit to the hard one at the start of a program.
func openFiles() (uint64, bool) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0, false
	}
	return uint64(limit.Cur), true
}
