package cognito

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// parse reads the bodies of records, in the same order; a deleted record is nil. It is the costly part of reading a
// store, and needs no other record: many records are read on all processors. If the caller has no use for the bodies
// afterwards, each is let go at once: with 100,000 clients they are half of what is in memory.
func parse(records []Record, letGo bool) ([]any, error) {
	const few = 256
	workers := min(runtime.GOMAXPROCS(0), len(records)/few+1)
	parsed := make([]any, len(records))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			common := commonStrings{}
			for i := w; i < len(records) && errs[w] == nil; i += workers {
				parsed[i], errs[w] = parseRecord(records[i], common)
				if letGo {
					records[i].Body = nil
				}
			}
		})
	}
	wg.Wait()
	return parsed, errors.Join(errs...)
}

// parseRecord says which record it could not read, but quotes nothing of it: it may hold a secret.
func parseRecord(r Record, common commonStrings) (body any, err error) {
	if r.Deleted() {
		return nil, nil
	}
	switch r.Kind {
	case KindPool:
		body, err = decode[poolBody](r)
	case KindDomain:
		body, err = decode[DomainDescription](r)
	case KindResourceServer:
		body, err = decode[ResourceServer](r)
	case KindClient:
		body, err = parseClient(r, common)
	case KindKey:
		var b *keyBody
		if b, err = decode[keyBody](r); err == nil {
			body, err = b.signingKey()
		}
	default:
		err = errors.New("its kind is unknown: the store was written by a newer version")
	}
	if err != nil {
		return nil, fmt.Errorf("cognito: the stored %s %q of pool %q: %w", r.Kind, r.ID, r.PoolID, err)
	}
	return body, nil
}

func parseClient(r Record, common commonStrings) (*client, error) {
	c := &client{}
	if !quickClient(&c.clientBody, r.Body, common) {
		b, err := decode[clientBody](r)
		if err != nil {
			return nil, err
		}
		c.clientBody = *b
	}
	c.workOut()
	return c, nil
}

func decode[T any](r Record) (*T, error) {
	body := new(T)
	if json.Unmarshal(r.Body, body) != nil {
		return nil, errors.New("its body cannot be read")
	}
	return body, nil
}
