package issuer

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"

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
func (s *SQLite) toRow(revision int64, c cognito.Record) row {
	switch {
	case c.Deleted():
		c.Body = nil
	case c.Kind.Secret():
		c.Body = s.sealer.Seal(c.Body, place(c))
	}
	r := row{revision: revision, record: c}
	r.checksum = r.sum()
	return r
}

// fromRow is the inverse of toRow. It copies the body, which belongs to the database driver.
func (s *SQLite) fromRow(r row) (cognito.Record, error) {
	if r.sum() != r.checksum {
		return cognito.Record{}, fmt.Errorf("%w: record %q has another checksum than when it was written", ErrCorrupt, place(r.record))
	}
	c := r.record
	if !c.Kind.Secret() || c.Deleted() {
		c.Body = bytes.Clone(c.Body)
		return c, nil
	}
	body, err := s.sealer.Open(c.Body, place(c))
	if err != nil {
		return cognito.Record{}, err
	}
	c.Body = body
	return c, nil
}

func place(c cognito.Record) []byte { return seal.Context(string(c.Kind), c.PoolID, c.ID) }
