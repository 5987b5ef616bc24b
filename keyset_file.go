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
	body, _, err := readKeyFile(cfg.keysFile, maxFetchBody)
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

// readKeyFile returns the content of a regular file of at most limit bytes that only its owner and group can write, and what was read.
func readKeyFile(name string, limit int) ([]byte, fs.FileInfo, error) {
	// Opening a named pipe would wait for somebody to write to it.
	if info, err := os.Stat(name); err != nil {
		return nil, nil, pathCause(err)
	} else if !info.Mode().IsRegular() {
		return nil, nil, errors.New("not a regular file")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, pathCause(err)
	}
	defer file.Close()
	// Asked of the open file: what has the name may be another one by now.
	info, err := file.Stat()
	if err != nil {
		return nil, nil, pathCause(err)
	}
	// Who can write the file chooses who is let in. Windows has no such bits.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0 {
		return nil, nil, errors.New("everybody on this machine can write it: chmod o-w it")
	}
	body, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, nil, pathCause(err)
	}
	if len(body) > limit {
		return nil, nil, fmt.Errorf("longer than %d bytes", limit)
	}
	return body, info, nil
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
