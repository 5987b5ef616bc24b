module github.com/countersign-dev/countersign/e2e

go 1.26.0

require (
	github.com/countersign-dev/countersign v0.0.0
	github.com/go-jose/go-jose/v4 v4.1.8
)

require github.com/golang-jwt/jwt/v5 v5.3.1

// The tests are about the library that lies beside them.
replace github.com/countersign-dev/countersign v0.0.0 => ../
