package serve

import (
	"errors"
	"os"
	"sync"

	"github.com/countersign-dev/countersign/cmd/countersign/audit"
	"github.com/countersign-dev/countersign/cognito"
)

// trail opens the audit trail; without one it returns nil. It closes after the service has made its last change.
func (s *Server) trail() (func(cognito.Event), error) {
	path := s.config.Audit.File
	if path == "" {
		return nil, nil
	}
	config := audit.Config{
		W:      os.Stdout,
		Failed: func(err error) { s.logger.Error("the audit trail cannot be written", "cause", err.Error()) },
		// The change has happened; where its line cannot be, it is here at least. It has no secret.
		Missing: func(line []byte) { s.logger.Error("a change is missing in the audit trail", "event", string(line)) },
	}
	if path != "-" {
		file := &appendFile{path: path}
		if err := file.reopen(); err != nil {
			return nil, s.config.errorAt("audit.file", err)
		}
		s.teardown.Add(file.close)
		s.trailFile, config.W, config.Sync = file, file, file.sync
	}
	w, err := audit.New(config)
	if err != nil {
		return nil, err
	}
	s.teardown.Add(w.Close)
	s.audit = w
	return w.Record, nil
}

// An appendFile is a file that somebody else moves away from time to time: then it is opened anew under its name.
type appendFile struct {
	path string

	mu   sync.Mutex
	file *os.File
}

func (f *appendFile) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Write(line)
}

// sync is for files: a pipe has nothing to make durable, and says so.
func (f *appendFile) sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := f.file.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil
	}
	return f.file.Sync()
}

// reopen keeps the old file if the new one cannot be opened.
func (f *appendFile) reopen() error {
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if torn(f.path) {
		if _, err := file.WriteString("\n"); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file != nil {
		f.file.Close()
	}
	f.file = file
	return nil
}

// torn says whether the file ends in half a line, as a process leaves it that was killed, or had no room, in the middle of one: the
// next line would be lost with it. What cannot be read is none.
func torn(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

func (f *appendFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}
