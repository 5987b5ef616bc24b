package issuer

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"strconv"
	"sync"

	"github.com/countersign-dev/countersign/cmd/countersign/seal"
	"github.com/countersign-dev/countersign/cognito"
)

// A row is a record as it lies in the database.
type row struct {
	revision int64
	record   cognito.Record // Body as stored: sealed when the kind is secret
	checksum uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum covers all that a row says. SQLite has no checksums in its pages and PRAGMA integrity_check looks at the structure
// only; the service reads every row at its start anyway, so that checking each costs little and finds every flipped bit.
func (r *row) sum() uint32 {
	var buffer [128]byte // most heads fit, and a start computes one for each record
	head := strconv.AppendInt(buffer[:0], r.revision, 10)
	for _, part := range []string{string(r.record.Kind), r.record.PoolID, r.record.ID} {
		head = append(append(head, 0), part...)
	}
	if head = append(head, 0); r.record.Deleted() {
		head = append(head, 1)
	}
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, r.record.Body)
}

// toRow seals what must not be read on the disk.
func toRow(sealer *seal.Sealer, revision int64, c cognito.Record) row {
	switch {
	case c.Deleted():
		c.Body = nil
	case c.Kind.Secret():
		c.Body = sealer.Seal(c.Body, place(c))
	}
	r := row{revision: revision, record: c}
	r.checksum = r.sum()
	return r
}

// fromRow is the inverse of toRow. It copies the body, which belongs to the database driver.
func fromRow(sealer *seal.Sealer, r row) (cognito.Record, error) {
	if r.sum() != r.checksum {
		return cognito.Record{}, fmt.Errorf("%w: record %q has another checksum than when it was written", ErrCorrupt, place(r.record))
	}
	c := r.record
	if !c.Kind.Secret() || c.Deleted() {
		c.Body = bytes.Clone(c.Body)
		return c, nil
	}
	body, err := sealer.Open(c.Body, place(c))
	if err != nil {
		return cognito.Record{}, err
	}
	c.Body = body
	return c, nil
}

// fromRows opens rows on all processors: to unseal 100,000 clients takes seconds of one.
func fromRows(sealer *seal.Sealer, rows []row) ([]cognito.Record, error) {
	const few = 1024
	workers := min(runtime.GOMAXPROCS(0), len(rows)/few+1)
	records, errs := make([]cognito.Record, len(rows)), make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(rows) && errs[w] == nil; i += workers {
				records[i], errs[w] = fromRow(sealer, rows[i])
			}
		})
	}
	wg.Wait()
	return records, errors.Join(errs...)
}

func place(c cognito.Record) []byte { return seal.Context(string(c.Kind), c.PoolID, c.ID) }
