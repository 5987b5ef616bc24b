package chaos

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
)

// strangeKid gives a token, or every key of a set, a key id that nobody knows, in the form of Cognito's. It is what a
// verifier sees of a rotation that has not reached it. An answer that it cannot read stays as it is.
func strangeKid(body []byte, what kind, seed, n uint64) []byte {
	if what == keys {
		return strangeSet(body, seed, n)
	}
	var answer map[string]any
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	access, _ := answer["access_token"].(string)
	header, rest, found := strings.Cut(access, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(header)
	var members map[string]any
	if !found || err != nil || json.Unmarshal(decoded, &members) != nil {
		return body
	}
	members["kid"] = keyID(seed, n, 0)
	encoded, err := json.Marshal(members)
	if err != nil {
		return body
	}
	answer["access_token"] = base64.RawURLEncoding.EncodeToString(encoded) + "." + rest
	return marshalOr(answer, body)
}

func strangeSet(body []byte, seed, n uint64) []byte {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil {
		return body
	}
	for i := range set.Keys {
		set.Keys[i]["kid"] = keyID(seed, n, uint64(i))
	}
	return marshalOr(set, body)
}

func marshalOr(v any, otherwise []byte) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return otherwise
	}
	return b
}

func keyID(numbers ...uint64) string {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}
