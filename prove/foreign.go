package prove

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"sync"
)

// foreignKey is the key of an attacker. It is the one of RFC 7515, Appendix A.2, which the whole world has: making one would cost
// each run a second, and with this one other tools can make the same tokens.
var foreignKey = sync.OnceValue(func() *rsa.PrivateKey {
	data, err := zooFiles.ReadFile("zoo/foreign.key")
	if err != nil {
		panic("prove: the zoo is embedded and cannot be read: " + err.Error())
	}
	var jwk struct{ N, E, D, P, Q string }
	if err := json.Unmarshal(data, &jwk); err != nil {
		panic("prove: zoo/foreign.key: " + err.Error())
	}
	number := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			panic("prove: zoo/foreign.key: " + err.Error())
		}
		return new(big.Int).SetBytes(b)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: number(jwk.N), E: int(number(jwk.E).Int64())},
		D:         number(jwk.D),
		Primes:    []*big.Int{number(jwk.P), number(jwk.Q)},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		panic("prove: zoo/foreign.key: " + err.Error())
	}
	return key
})
