package jose_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
)

// usual is the claims of a token as Cognito issues it to a machine, with groups.
const usual = `{"sub":"1example23456789","token_use":"access","scope":"https://api.example.com/demo.read https://api.example.com/demo.list","auth_time":1795435200,"iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123","exp":1795438800,"iat":1795435200,"version":2,"jti":"7d0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b11","client_id":"1example23456789","cognito:groups":["readers-of-everything","writers-of-some","operators","auditors-of-the-region"],"origin_jti":"1c0f3b1c-52a7-4c62-9f0c-1d7d0a3e2b99","n":7}`

func BenchmarkObject(b *testing.B) {
	document := []byte(usual)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		object := jose.ReadObject(document)
		for object.Next() {
		}
		if object.Err() != nil {
			b.Fatal(object.Err())
		}
	}
}

func BenchmarkAppendDecode(b *testing.B) {
	src := []byte(strings.Repeat("eyJhbGciOiJSUzI1NiJ9", 50))
	dst := make([]byte, 0, 1000)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, ok := jose.AppendDecode(dst, src); !ok {
			b.Fatal("not decoded")
		}
	}
}

func BenchmarkStandardDecode(b *testing.B) {
	src := []byte(strings.Repeat("eyJhbGciOiJSUzI1NiJ9", 50))
	dst := make([]byte, 1000)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := base64.RawURLEncoding.Strict().Decode(dst, src); err != nil {
			b.Fatal(err)
		}
	}
}
