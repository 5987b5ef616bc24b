//go:build !unix

package countersign

import "io/fs"

// ownerOf is not known here: such a system has no directory of everybody's, as /tmp is.
func ownerOf(fs.FileInfo) (uid int, known bool) { return 0, false }
