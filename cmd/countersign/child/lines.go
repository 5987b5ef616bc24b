package child

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
)

// maxLine bounds a line of the service's output; a longer one is cut into several.
const maxLine = 64 << 10

// lines writes whole lines, each with the service's name before it.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	prefix string
	held   bool           // whether lines are held back
	count  int            // of those that are
	kept   []heldLine     // the first ones of each kind
	kinds  map[string]int // how many there were of each
}

// heldLine is a line that was held back.
type heldLine struct {
	text []byte
	kind string
}

const (
	maxAlike = 3    // held lines of one kind that are kept
	maxKinds = 1000 // kinds that are told apart
	maxShown = 40   // held lines that are shown
)

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
		l.keep(text)
		return
	}
	l.print(text)
}

func (l *lines) print(text []byte) {
	// In one call, so that another writer's line does not come between. An output that nobody takes any more stops no service.
	l.to.Write(append(append([]byte(l.prefix), bytes.TrimRight(text, "\r\n")...), '\n'))
}

// keep keeps a held line, unless there are enough like it: a proof's requests have one each.
func (l *lines) keep(text []byte) {
	kind := kindOf(text)
	n, known := l.kinds[kind]
	if !known && len(l.kinds) >= maxKinds {
		return
	}
	if l.kinds[kind]++; n < maxAlike {
		l.kept = append(l.kept, heldLine{bytes.Clone(text), kind})
	}
}

// kindOf is how a line begins, but for its numbers: that of a request begins as that of any other.
func kindOf(text []byte) string {
	var kind []byte
	for _, c := range text {
		if c >= '0' && c <= '9' {
			c = '0'
		}
		if n := len(kind); c == '0' && n > 0 && kind[n-1] == '0' {
			continue
		}
		if kind = append(kind, c); len(kind) == 48 {
			break
		}
	}
	return string(kind)
}

// hold keeps lines back. The function that it returns ends that: it prints those that are unlike the others, such as what a service says
// before it fails, and how many there were beside them.
func (l *lines) hold() (release func(show bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.count, l.kept, l.kinds = true, 0, nil, map[string]int{}
	return func(show bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held = false
		if show {
			for _, line := range l.rare() {
				l.print(line.text)
				l.count--
			}
		}
		if l.count > 0 {
			l.print(fmt.Appendf(nil, "(%d lines during the proof are not shown)", l.count))
		}
		l.kept, l.kinds = nil, nil
	}
}

// rare are the kept lines of the rarest kinds, as many as are shown, in their order.
func (l *lines) rare() []heldLine {
	order := make([]int, len(l.kept))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(l.kinds[l.kept[a].kind], l.kinds[l.kept[b].kind]) })
	order = order[:min(len(order), maxShown)]
	slices.Sort(order)
	var rare []heldLine
	for _, i := range order {
		rare = append(rare, l.kept[i])
	}
	return rare
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
