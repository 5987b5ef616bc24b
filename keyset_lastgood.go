package countersign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// lastGoodVersion is the form of the file: one line of JSON that says whose keys follow and from when, then the
// issuer's answer, octet for octet.
const lastGoodVersion = "countersign keys 1"

// maxClockStep is how far in the future a file may be dated: the clocks of two machines that share a volume differ.
const maxClockStep = time.Minute

// lastGoodHeader is the first line.
type lastGoodHeader struct {
	Version string    `json:"version"`
	Issuer  string    `json:"issuer"`
	Fetched time.Time `json:"fetched"`
}

// lastGoodFile keeps the last good set on disk, so that a process can start while the issuer is down. It writes on a
// goroutine of its own: a disk that hangs must not keep keys from being refreshed.
type lastGoodFile struct {
	name   string
	issuer string
	logger *slog.Logger
	next   chan lastGood // holds the newest set that is not written yet
	done   chan struct{}
}

type lastGood struct {
	body    []byte
	fetched time.Time
}

func newLastGoodFile(cfg keySourceConfig) *lastGoodFile {
	f := &lastGoodFile{
		name: cfg.lastGoodFile, issuer: cfg.issuer, logger: cfg.logger,
		next: make(chan lastGood, 1), done: make(chan struct{}),
	}
	go f.run()
	return f
}

// checkLastGoodPath finds the mistakes that would otherwise show in the next outage.
func checkLastGoodPath(name string) error {
	info, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("LastGoodFile %s: its directory: %w", name, pathCause(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("LastGoodFile %s: %s is not a directory", name, filepath.Dir(name))
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("LastGoodFile %s: not a regular file", name)
	}
	return nil
}

// loadLastGood puts the file's set in service, before there is anybody to wait for it. A file that cannot serve is no
// reason not to start: it is logged, and the issuer is asked as if there were none.
func (k *keyset) loadLastGood() {
	now := time.Now()
	set, fetched, err := readLastGood(k.cfg, now)
	if errors.Is(err, fs.ErrNotExist) {
		return // the first start
	}
	if err != nil {
		k.cfg.logger.Warn("countersign: last good keys are not used", "issuer", k.cfg.issuer, "file", k.cfg.lastGoodFile, "error", err)
		return
	}
	snapshot, _ := k.current.Load().replace(set, fetched, now, k.cfg.maxStale)
	snapshot.fromFile = true
	k.current.Store(snapshot)
}

// readLastGood reads the file as untrusted input: it is bounded, of this issuer, not too old, not of the future, and
// its keys are held to what the issuer's own are.
func readLastGood(cfg keySourceConfig, now time.Time) (*jose.KeySet, time.Time, error) {
	none := time.Time{}
	content, info, err := readKeyFile(cfg.lastGoodFile, maxFetchBody+4096)
	if err == nil {
		err = checkPlanted(cfg.lastGoodFile, info)
	}
	if err != nil {
		return nil, none, err
	}
	line, body, _ := bytes.Cut(content, []byte("\n"))
	header, err := stringMembers(line, "version", "issuer", "fetched")
	if err != nil || header["version"] != lastGoodVersion {
		return nil, none, errors.New("not a file of last good keys")
	}
	if header["issuer"] != cfg.issuer {
		return nil, none, errors.New("keys of another issuer")
	}
	fetched, err := time.Parse(time.RFC3339Nano, header["fetched"])
	if err != nil {
		return nil, none, errors.New("no time of the fetch")
	}
	age := now.Round(0).Sub(fetched)
	if age < -maxClockStep {
		return nil, none, errors.New("fetched in the future: the clock was set back, or the file is not ours")
	}
	if age >= cfg.maxStale {
		return nil, none, fmt.Errorf("keys are %v old, more than MaxStale", age.Round(time.Second))
	}
	set, err := parseKeys(body, cfg.algorithms)
	// From here on the age is measured by the monotonic clock.
	return set, now.Add(-max(age, 0)), err
}

// checkPlanted refuses a file that anybody on this machine could have put where a guard will look for it, as in /tmp. The file says whose keys it
// has, and who made it chooses who is let in until the issuer is reached.
func checkPlanted(name string, file fs.FileInfo) error {
	dir, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return pathCause(err)
	}
	if owner, known := ownerOf(file); known && planted(dir.Mode(), owner, os.Geteuid()) {
		return errors.New("another user's, in a directory that everybody can write to")
	}
	return nil
}

// planted reports whether a file of owner in a directory of this mode need not be ours. Root needs no such way.
func planted(dir fs.FileMode, owner, self int) bool {
	return dir.Perm()&0o002 != 0 && owner != self && owner != 0
}

// keep has body written soon. It never waits: a set that is not written yet gives way to a newer one.
func (f *lastGoodFile) keep(body []byte, fetched time.Time) {
	select {
	case <-f.next:
	default:
	}
	f.next <- lastGood{body, fetched}
}

// close writes what is left to write. keep must not be called any more.
func (f *lastGoodFile) close() {
	close(f.next)
	<-f.done
}

func (f *lastGoodFile) run() {
	defer close(f.done)
	failed := ""
	for set := range f.next {
		err := f.write(set)
		if err == nil {
			failed = ""
		} else if err.Error() != failed {
			failed = err.Error()
			f.logger.Warn("countersign: last good keys could not be written", "issuer", f.issuer, "file", f.name, "error", err)
		}
	}
}

// write replaces the file as a whole: a reader, and a start after a crash, finds the old content or the new.
func (f *lastGoodFile) write(set lastGood) (err error) {
	header, err := json.Marshal(lastGoodHeader{lastGoodVersion, f.issuer, set.fetched.UTC()})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(f.name), filepath.Base(f.name)+".*") // mode 0600
	if err != nil {
		return pathCause(err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
			err = pathCause(err)
		}
	}()
	_, err = file.Write(append(append(header, '\n'), set.body...))
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), f.name)
	}
	return err
}
