package serve

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// reloadEvery is how often files are looked at. Kubernetes takes up to a minute to bring a changed Secret to a pod; nothing
// here needs to be faster.
const reloadEvery = 5 * time.Second

// A watched set of files is loaded again when what they hold changes. Times of change are not looked at: a mounted Secret
// changes by a link, and a copy may keep its time.
type watched struct {
	what  string
	files []string
	load  func() error
	seen  [sha256.Size]byte
}

// newWatched loads the files for the first time.
func newWatched(what string, load func() error, files ...string) (*watched, error) {
	w := &watched{what: what, files: files, load: load}
	w.seen = digest(files) // before they are loaded: what changes meanwhile is loaded again
	return w, load()
}

// check loads the files again if they have changed since the last time, and says what came of it.
func (w *watched) check(logger *slog.Logger) {
	now := digest(w.files)
	if now == w.seen {
		return
	}
	w.seen = now // also of what cannot be loaded: it is said once, and tried again when it changes
	if err := w.load(); err != nil {
		logger.Warn("a changed file cannot be used; what was there before still serves", "what", w.what, "cause", err.Error())
		return
	}
	logger.Info("loaded again", "what", w.what)
}

// digest is of the content of all files; one that cannot be read counts as empty.
func digest(files []string) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, path := range files {
		if f, err := os.Open(path); err == nil {
			_, _ = io.Copy(h, io.LimitReader(f, 1<<20))
			f.Close()
		}
		h.Write([]byte{0})
	}
	h.Sum(sum[:0])
	return sum
}

// watchedFiles is all of them.
type watchedFiles struct {
	mu     sync.Mutex
	all    []*watched
	logger *slog.Logger
}

func (f *watchedFiles) check() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.all {
		w.check(f.logger)
	}
}

func (f *watchedFiles) watch(ctx context.Context) {
	ticker := time.NewTicker(reloadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.check()
		}
	}
}

// Reload looks at once whether certificate and access keys have changed, and loads what has. The file of the audit trail is
// opened anew: whoever moved it away finds the rest of it under its name.
func (s *Server) Reload() {
	s.files.check()
	if s.trailFile == nil {
		return
	}
	if err := s.trailFile.reopen(); err != nil {
		s.logger.Error("the audit trail cannot be opened anew; it goes on in the old file", "cause", err.Error())
	}
}
