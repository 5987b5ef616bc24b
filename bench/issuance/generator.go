package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// connections is how many callers there are, each with a connection that stays open and one request under way.
const connections = 16

// generator is the load: one thread that waits for all connections at once (epoll(7)), with as little work as it takes, since
// it shares the processors with what it measures. net/http's client, or a goroutine for each connection, costs as much as the
// server does beside the signature.
type generator struct {
	epoll   int
	request []byte
	calls   map[int32]*call
}

// call is a request under way.
type call struct {
	answer []byte // what has come of it
	start  time.Time
}

func newGenerator(address string, request []byte) (*generator, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	g := &generator{request: request, calls: map[int32]*call{}}
	if g.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for range connections {
		if err := g.connect(&unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
			g.close()
			return nil, err
		}
	}
	return g, nil
}

func (g *generator) connect(to unix.Sockaddr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	g.calls[int32(fd)] = &call{answer: make([]byte, 0, 8<<10)}
	if err := unix.Connect(fd, to); err != nil {
		return err
	}
	if err := unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		return err
	}
	return g.send(int32(fd))
}

func (g *generator) close() {
	for fd := range g.calls {
		unix.Close(int(fd))
	}
	unix.Close(g.epoll)
}

func (g *generator) send(fd int32) error {
	c := g.calls[fd]
	c.answer, c.start = c.answer[:0], time.Now()
	_, err := unix.Write(int(fd), g.request)
	return err
}

// run keeps all connections busy, and returns how long each answer took that came within this time.
//
// The kernel is told that this thread is a batch job (SCHED_BATCH, sched(7)): it still gets its share, but does not push a
// signature off the processor whenever an answer arrives. Neither would callers on other machines.
func (g *generator) run(d time.Duration) (took []time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_BATCH}, 0); err != nil {
		return nil, err
	}
	defer unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0)
	events := make([]unix.EpollEvent, connections)
	for end := time.Now().Add(d); ; {
		n, err := unix.EpollWait(g.epoll, events, 5000)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return nil, errors.New("no answer for five seconds")
		}
		if time.Now().After(end) {
			return took, nil
		}
		for _, e := range events[:n] {
			if took, err = g.receive(e.Fd, took); err != nil {
				return nil, err
			}
		}
	}
}

// receive reads what has come, and sends the next request when that was the last of an answer.
func (g *generator) receive(fd int32, took []time.Duration) ([]time.Duration, error) {
	c := g.calls[fd]
	n, err := unix.Read(int(fd), c.answer[len(c.answer):cap(c.answer)])
	if err != nil || n == 0 {
		return took, errors.Join(errors.New("the server hung up"), err)
	}
	c.answer = c.answer[:len(c.answer)+n]
	whole, err := isToken(c.answer)
	if err != nil || !whole {
		return took, err
	}
	return append(took, time.Since(c.start)), g.send(fd)
}

// isToken says whether the answer is whole. It is an error when it is no token.
func isToken(answer []byte) (whole bool, err error) {
	head, body, found := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !found {
		return false, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return false, fmt.Errorf("the answer is %q", answer)
	}
	_, length, found := bytes.Cut(head, []byte("\r\nContent-Length: "))
	if !found {
		_, length, found = bytes.Cut(head, []byte("\r\ncontent-length: "))
	}
	length, _, _ = bytes.Cut(length, []byte("\r"))
	n, err := strconv.Atoi(string(length))
	if !found || err != nil || n == 0 {
		return false, fmt.Errorf("the answer has no length: %q", head)
	}
	if len(body) == n && !bytes.Contains(body, []byte(`"access_token":"`)) {
		return false, fmt.Errorf("the answer is no token: %q", body)
	}
	return len(body) == n, nil
}
