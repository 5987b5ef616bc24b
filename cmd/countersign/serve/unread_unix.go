//go:build !windows

package serve

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unread says whether the system has bytes of the connection that nobody has read yet.
func unread(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	// Control, and not Read, which would wait for the goroutine that waits for these very bytes.
	err = raw.Control(func(fd uintptr) {
		n, _, _ = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return err == nil && n > 0
}
