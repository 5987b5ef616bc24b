package agent

import "golang.org/x/sys/unix"

// peerOf is the user at the other end of a socket, as the kernel kept it at connect time: unix(7), SO_PEERCRED.
func peerOf(fd int) (int, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}

// seal keeps the process's memory out of core dumps, and other processes of its user out of its memory: prctl(2),
// PR_SET_DUMPABLE.
func seal() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
