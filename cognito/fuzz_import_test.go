package cognito_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

// FuzzImportPool puts any value into any place of a document. It is refused with a client's error, or becomes a pool that a
// service which has just started knows, and that exports and imports as the same.
func FuzzImportPool(f *testing.F) {
	key := must(edKey())(f)
	open := func(t testing.TB, store cognito.Store) *cognito.Service {
		return newService(t, cognito.Config{Store: store, NewKey: func() (crypto.Signer, error) { return key, nil }})
	}
	s := open(f, cognito.NewMemoryStore())
	pool, _ := seedPool(f, s)
	base := must(s.ExportPool(pool, cognito.ExportOptions{Secrets: true, Keys: true}))(f)
	count := 0
	replaceNth(decoded(f, base), -1, nil, &count)
	values := []string{`null`, `-1`, `1e11`, `1e999`, `""`, `"a"`, `[]`, `{}`, `true`, `"\ud800"`, `["a"]`, `[null]`}
	for n := range count { // the rest is for the fuzzer
		f.Add(uint16(n), values[n%len(values)])
	}
	f.Fuzz(func(t *testing.T, n uint16, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		at := 0
		document, err := json.Marshal(replaceNth(decoded(t, base), int(n)%count, json.RawMessage(value), &at))
		if err != nil {
			t.Fatal(err)
		}
		store := cognito.NewMemoryStore()
		result, err := open(t, store).ImportPool(t.Context(), document, cognito.ImportOptions{})
		if err != nil {
			var refused *cognito.APIError
			if !errors.As(err, &refused) || refused.Status >= 500 {
				t.Errorf("%v", err)
			}
			return
		}
		all := cognito.ExportOptions{Secrets: true, Keys: true}
		exported := must(open(t, store).ExportPool(result.PoolID, all))(t)
		other := open(t, cognito.NewMemoryStore())
		if _, err := other.ImportPool(t.Context(), exported, cognito.ImportOptions{}); err != nil {
			t.Fatalf("what was exported is refused: %v\n%s", err, exported)
		}
		if again := must(other.ExportPool(result.PoolID, all))(t); !bytes.Equal(again, exported) {
			t.Errorf("the round trip changed\n%s\nto\n%s", exported, again)
		}
	})
}

func decoded(t testing.TB, document []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// replaceNth puts value into the n-th place of a document, its lists and structures counted as places too.
func replaceNth(v any, n int, value json.RawMessage, at *int) any {
	if *at++; *at-1 == n {
		return value
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			v[name] = replaceNth(v[name], n, value, at)
		}
	case []any:
		for i := range v {
			v[i] = replaceNth(v[i], n, value, at)
		}
	}
	return v
}
