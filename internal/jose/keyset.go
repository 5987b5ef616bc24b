package jose

import (
	"errors"
	"fmt"
)

// Bounds of a key set. Cognito publishes two keys and the largest public issuers about twenty.
const (
	maxKeySet  = 1 << 20 // octets of the document
	maxKeys    = 100
	maxSameKid = 4 // keys under one kid and algorithm: each costs a public-key operation per bad token
)

// Errors of [ParseKeySet].
var (
	ErrKeySet = errors.New("jose: not a JWK set")
	ErrNoKeys = errors.New("jose: the JWK set has no key that can verify a signature")
)

// KeySet is the usable keys of a JWK set (RFC 7517, Section 5). It is immutable.
type KeySet struct {
	keys    []*Key
	byKid   map[keyName]*Key
	ignored []error
}

type keyName struct {
	kid string
	alg Algorithm
}

// ParseKeySet reads a JWK set of at most 1 MiB. A key that it cannot use is left out and harms nothing:
// RFC 7517, Section 5: "Implementations SHOULD ignore JWKs within a JWK Set that use kty values that are
// not understood by them, that are missing required members, or for which values are out of the supported
// ranges." [KeySet.Ignored] has the reasons.
//
// The error is [ErrNoKeys] when no key is left, so that an empty answer never replaces a good set, and
// [ErrKeySet] when the document is none at all.
func ParseKeySet(data []byte) (*KeySet, error) {
	if len(data) > maxKeySet {
		return nil, fmt.Errorf("%w: it is larger than 1 MiB", ErrKeySet)
	}
	document := ReadObject(data)
	document.shallow = true // two members of one name inside a key spoil that key only
	var list Value
	for document.Next() {
		if string(document.Name()) == "keys" {
			list = document.Value()
		}
	}
	if err := document.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeySet, err)
	}
	elements, ok := list.Array()
	if !ok {
		return nil, fmt.Errorf("%w: it has no array keys", ErrKeySet)
	}
	set := &KeySet{byKid: make(map[keyName]*Key)}
	for n := 0; elements.Next(); n++ {
		if n == maxKeys {
			return nil, fmt.Errorf("%w: it has more than %d keys", ErrKeySet, maxKeys)
		}
		key, err := parseKey(elements.Value().Raw())
		if err == nil {
			err = set.add(key)
		}
		if err != nil {
			set.ignored = append(set.ignored, fmt.Errorf("jose: key %d: %w", n, err))
		}
	}
	if len(set.keys) == 0 {
		return nil, errors.Join(append([]error{ErrNoKeys}, set.ignored...)...)
	}
	return set, nil
}

// Lookup returns the key for a token's kid and algorithm, or nil.
//
// RFC 7515, Section 4.1.4: kid says which key signed. A token without one ("") finds a key only in a set of one: to try them all
// would let the sender choose, and cost an operation for each.
func (s *KeySet) Lookup(kid string, alg Algorithm) *Key {
	if kid == "" {
		if len(s.keys) == 1 && s.keys[0].Can(alg) {
			return s.keys[0]
		}
		return nil
	}
	return s.byKid[keyName{kid, alg}]
}

// Keys returns the usable keys in the order of the document.
func (s *KeySet) Keys() []*Key { return append([]*Key(nil), s.keys...) }

// Ignored says for each key that was left out which one it was, by its position, and why.
func (s *KeySet) Ignored() []error { return append([]error(nil), s.ignored...) }

// add enters key under its kid, once for each algorithm.
//
// RFC 7517, Section 4.5: different keys SHOULD have different kids, so an issuer may err, and its tokens
// are still genuine: keys of one name stand in a short chain. The same key twice is one key.
func (s *KeySet) add(key *Key) error {
	for _, other := range s.keys {
		if other.Equal(key) {
			return errors.New("it is there already")
		}
	}
	for _, alg := range key.algs {
		if key.id != "" && s.byKid[keyName{key.id, alg}].length() == maxSameKid {
			return errors.New("too many keys have its kid")
		}
	}
	for _, alg := range key.algs {
		if name := (keyName{key.id, alg}); key.id != "" {
			s.byKid[name] = &Key{id: key.id, algs: []Algorithm{alg}, public: key.public, next: s.byKid[name]}
		}
	}
	s.keys = append(s.keys, key)
	return nil
}

func (k *Key) length() int {
	n := 0
	for ; k != nil; k = k.next {
		n++
	}
	return n
}
