//go:build unix

package countersign

import (
	"io/fs"
	"syscall"
)

// ownerOf is the user whose file it is.
func ownerOf(file fs.FileInfo) (uid int, known bool) {
	stat, ok := file.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
