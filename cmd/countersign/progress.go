package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progressInterval is how often the line is written anew: more often nobody can read it.
const progressInterval = 100 * time.Millisecond

// progress is a line on a terminal that says how far a proof is. Elsewhere, in a log for one, it is nothing.
type progress struct {
	w     io.Writer // nil: not a terminal
	now   func() time.Time
	last  time.Time
	shown bool
}

func newProgress(w io.Writer) *progress {
	p := &progress{now: time.Now}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		p.w = w
	}
	return p
}

// step is [prove.Config.Progress].
func (p *progress) step(done, total int) {
	if p.w == nil {
		return
	}
	if now := p.now(); now.Sub(p.last) >= progressInterval {
		p.last, p.shown = now, true
		// To the first column, the text, and nothing of the longer text before it.
		fmt.Fprintf(p.w, "\r%d of %d cases\x1b[K", done, total)
	}
}

// say is what is waited for.
func (p *progress) say(text string) {
	if p.w == nil {
		return
	}
	p.shown = true
	fmt.Fprintf(p.w, "\r%s\x1b[K", text)
}

// clear takes the line away, before what is to stay is written.
func (p *progress) clear() {
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
