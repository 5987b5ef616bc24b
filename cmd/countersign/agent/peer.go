//go:build linux || darwin

package agent

import (
	"errors"
	"net"
)

// peerUID is the user of the process that connected.
func peerUID(conn net.Conn) (int, error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a Unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var uid int
	var failed error
	err = raw.Control(func(fd uintptr) { uid, failed = peerOf(int(fd)) })
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	return uid, nil
}
