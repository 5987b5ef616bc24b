package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

// lockWork keeps a second run of the same work off this machine until release. Cognito makes a second app client of a name
// without a word, and two rotations of one client each take the place of the other's secret. Where no lock can be had, as
// without a home directory, the work is done all the same: Cognito knows no lock either, for those on other machines.
func lockWork(work, file string, parts ...string) (release func(), err error) {
	release = func() {}
	path, err := filepath.Abs(file)
	if err != nil {
		return release, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return release, nil
	}
	sum := sha256.Sum256([]byte(strings.Join(append([]string{work, path}, parts...), "\x00")))
	dir := filepath.Join(cache, "countersign", "locks", hex.EncodeToString(sum[:8]))
	if os.MkdirAll(dir, 0o700) != nil {
		return release, nil
	}
	lock, err := issuer.LockDir(dir)
	switch {
	case errors.Is(err, issuer.ErrLocked):
		return release, fmt.Errorf("another %s of %s is under way on this machine; wait until it has ended, and run this again", work, strings.Join(append([]string{file}, parts...), " "))
	case err != nil:
		return release, nil
	}
	return func() { lock.Close() }, nil
}
