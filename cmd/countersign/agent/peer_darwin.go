package agent

import "golang.org/x/sys/unix"

// peerOf is the user at the other end of a socket: unix(4), LOCAL_PEERCRED.
func peerOf(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}

func seal() error { return nil }
