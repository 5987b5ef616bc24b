package issuer

import (
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

// fromRow is the inverse of toRow. It uses up the body.
func fromRow(sealer *seal.Sealer, r row) (cognito.Record, error) {
	if r.sum() != r.checksum {
		return cognito.Record{}, fmt.Errorf("%w: record %q has another checksum than when it was written", ErrCorrupt, place(r.record))
	}
	c := r.record
	if !c.Kind.Secret() || c.Deleted() {
		return c, nil
	}
	body, err := sealer.OpenInPlace(c.Body, place(c))
	if err != nil {
		return cognito.Record{}, err
	}
	c.Body = body
	return c, nil
}

// chunk is how many rows are opened at once.
const chunk = 512

// openRows opens the rows that next reads, in the same order, on all processors while it still reads: checksums and seals
// of 100,000 clients cost as much as the database.
func openRows(sealer *seal.Sealer, next func(*row) (more bool, err error)) ([]cognito.Record, error) {
	type part struct {
		rows    []row
		records []cognito.Record
		err     error
	}
	work := make(chan *part, 4) // bounds what is in memory in both forms
	var opening sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		opening.Go(func() {
			for p := range work {
				p.records, p.err = fromRows(sealer, p.rows)
				p.rows = nil
			}
		})
	}
	var parts []*part
	var err error
	for more := true; more && err == nil; {
		p := &part{}
		for more && err == nil && len(p.rows) < chunk {
			var r row
			if more, err = next(&r); more && err == nil {
				p.rows = append(p.rows, r)
			}
		}
		parts = append(parts, p)
		work <- p
	}
	close(work)
	opening.Wait()
	records := make([]cognito.Record, 0, chunk*(len(parts)-1)+len(parts[len(parts)-1].records))
	for _, p := range parts {
		records, err = append(records, p.records...), errors.Join(err, p.err)
	}
	return records, err
}

// fromRows keeps one copy of the name of a pool for all of its records that follow each other.
func fromRows(sealer *seal.Sealer, rows []row) ([]cognito.Record, error) {
	records := make([]cognito.Record, 0, len(rows))
	var last cognito.Record
	for _, r := range rows {
		c, err := fromRow(sealer, r)
		if err != nil {
			return nil, err
		}
		if c.PoolID == last.PoolID {
			c.PoolID = last.PoolID
		}
		if c.Kind == last.Kind {
			c.Kind = last.Kind
		}
		last = c
		records = append(records, c)
	}
	return records, nil
}

func place(c cognito.Record) []byte { return seal.Context(string(c.Kind), c.PoolID, c.ID) }
