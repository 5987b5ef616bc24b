package child

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"
)

// maxLine bounds a line of the service's output; a longer one is cut into several.
const maxLine = 64 << 10

// lines writes whole lines, each with the service's name before it.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	prefix string
	held   bool     // whether lines are held back
	count  int      // of those that are
	tail   [][]byte // the last of them
}

// maxTail is how many of the held lines are kept.
const maxTail = 20

func newLines(to io.Writer, name string) *lines {
	if to == nil {
		to = io.Discard
	}
	return &lines{to: to, prefix: name + " | "}
}

func (l *lines) line(text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held {
		l.count++
		if l.tail = append(l.tail, bytes.Clone(text)); len(l.tail) > maxTail {
			l.tail = l.tail[1:]
		}
		return
	}
	l.print(text)
}

func (l *lines) print(text []byte) {
	// In one call, so that another writer's line does not come between. An output that nobody takes any more stops no service.
	l.to.Write(append(append([]byte(l.prefix), bytes.TrimRight(text, "\r\n")...), '\n'))
}

// hold keeps lines back. The function that it returns ends that: it prints the last of them, or says how many there were.
func (l *lines) hold() (release func(show bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.count, l.tail = true, 0, nil
	return func(show bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held = false
		if show {
			for _, line := range l.tail {
				l.print(line)
			}
			l.count -= len(l.tail)
		}
		if l.count > 0 {
			l.print(fmt.Appendf(nil, "(%d lines during the proof are not shown)", l.count))
		}
		l.tail = nil
	}
}

func (l *lines) write(text []byte) {
	for line := range bytes.Lines(text) {
		l.line(line)
	}
}

// follow copies until the pipe is closed at its other end, and says when that is.
func (l *lines) follow(from io.ReadCloser) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer from.Close()
		reader := bufio.NewReaderSize(from, maxLine)
		for {
			line, err := reader.ReadSlice('\n')
			if len(line) > 0 {
				l.line(line)
			}
			if err != nil && err != bufio.ErrBufferFull {
				return
			}
		}
	}()
	return done
}
