package countersign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/countersign-dev/countersign/internal/jose"
)

// pinnedKeys is a JWK set from a file: read once, never stale, and no network.
type pinnedKeys struct {
	issuer   string
	snapshot keySnapshot
}

func newPinnedKeys(cfg keySourceConfig) (*pinnedKeys, error) {
	if cfg.keysURL != "" || cfg.lastGoodFile != "" {
		return nil, errors.New("KeysFile pins the keys: LastGoodFile has nothing to keep, and no other address is asked")
	}
	body, err := readKeyFile(cfg.keysFile, maxFetchBody)
	if err == nil {
		var set *jose.KeySet
		if set, err = parseKeys(body, cfg.algorithms); err == nil {
			return &pinnedKeys{cfg.issuer, keySnapshot{set: set, ids: keyIDs(set)}}, nil
		}
	}
	return nil, fmt.Errorf("KeysFile %s: %w", cfg.keysFile, err)
}

func (p *pinnedKeys) key(_ context.Context, kid string, alg jose.Algorithm) (*jose.Key, error) {
	key, _ := p.snapshot.find(kid, alg, time.Time{})
	return foundKey(key)
}

func (p *pinnedKeys) generation() uint64 { return 0 }

func (p *pinnedKeys) Close() error { return nil }

// readKeyFile returns the content of a regular file of at most limit bytes that only its owner and group can write.
func readKeyFile(name string, limit int) ([]byte, error) {
	// Opening a named pipe would wait for somebody to write to it.
	info, err := os.Stat(name)
	if err != nil {
		return nil, pathCause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	// Who can write the file chooses who is let in. Windows has no such bits.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0 {
		return nil, errors.New("everybody on this machine can write it: chmod o-w it")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, pathCause(err)
	}
	defer file.Close()
	body, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, pathCause(err)
	}
	if len(body) > limit {
		return nil, fmt.Errorf("longer than %d bytes", limit)
	}
	return body, nil
}

// pathCause is err without the path, which the caller names, or which is a temporary one and different each time.
func pathCause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
