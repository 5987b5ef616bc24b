package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
)

// claims are as many octets as the issuer's.
const claims = `{"sub":"0123456789abcdefghijklmnop","token_use":"access","scope":"https://api.example.com/demo.read","auth_time":1767225600,` +
	`"iss":"http://127.0.0.1:40000/us-east-1_AbCdEf123","exp":1767229200,"iat":1767225600,"version":2,"jti":"00000000-0000-4000-8000-000000000000","client_id":"0123456789abcdefghijklmnop"}`

// serveFloor authenticates nobody and looks nothing up: it signs.
func serveFloor(alg string) error {
	sign, err := signer(alg)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	encode := base64.RawURLEncoding.EncodeToString
	prefix := encode([]byte(`{"kid":"0123456789012345678901234567890123456789012=","alg":"`+alg+`"}`)) + "." + encode([]byte(claims))
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		signature, err := sign([]byte(prefix))
		if err != nil {
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
		body, _ := json.Marshal(map[string]any{"access_token": prefix + "." + encode(signature), "expires_in": 3600, "token_type": "Bearer"})
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
}

// signer returns the signature alone.
func signer(alg string) (func(input []byte) ([]byte, error), error) {
	var key crypto.Signer
	var err error
	if alg == "ES256" {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	return func(input []byte) ([]byte, error) {
		hash := sha256.Sum256(input)
		return key.Sign(rand.Reader, hash[:], crypto.SHA256)
	}, err
}

func startFloor(alg string) (*contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &contender{name: "floor " + alg, alg: alg, path: "/", command: exec.Command(self, "-floor", alg)}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	_, err = fmt.Fscan(out, &c.address)
	return c, err
}
