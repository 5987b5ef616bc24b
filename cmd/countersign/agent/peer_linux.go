package agent

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerUID is the user of the process that connected, as the kernel kept it at connect time: unix(7), SO_PEERCRED.
func peerUID(conn net.Conn) (int, error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a Unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}

// seal keeps the process's memory out of core dumps, and other processes of its user out of its memory: prctl(2),
// PR_SET_DUMPABLE.
func seal() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
