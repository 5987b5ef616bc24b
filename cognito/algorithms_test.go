package cognito_test

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/countersign-dev/countersign/cognito"
)

func TestAlgorithmsOfPools(t *testing.T) {
	algorithms := map[string]string{"ec": "ES256", "ed": "EdDSA", "rsa": "RS256", "bad": "none"}
	s := newService(t, cognito.Config{Algorithm: func(name, _ string) string { return algorithms[name] }})
	for name, want := range algorithms {
		out, err := s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: name})
		if name == "bad" {
			wantAPIError(t, err, cognito.CodeInternalError, "")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range must(s.Keys(out.UserPool.ID))(t) {
			if k.Algorithm != want {
				t.Errorf("%s: %+v", name, k)
			}
		}
	}
	// A rotation may change the algorithm: both are in the set until the old tokens have ended.
	pool := must(s.CreateUserPool(t.Context(), cognito.CreateUserPoolInput{PoolName: "later"}))(t).UserPool.ID
	algorithms["later"] = "ES256"
	key := must(s.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: pool, Now: true}))(t)
	if key.Algorithm != "ES256" {
		t.Errorf("got %+v", key)
	}
	rec := wire{t, cognito.Handler(s, cognito.HandlerConfig{})}.do(httptest.NewRequest(http.MethodGet, "/"+pool+"/.well-known/openid-configuration", nil))
	if got := member(t, rec.Body.Bytes(), "id_token_signing_alg_values_supported"); got != `["RS256","ES256"]` {
		t.Errorf("discovery has %s", got)
	}
}

// TestAccelerate: what signs in the place of a key is asked for once, and its tokens are the key's.
func TestAccelerate(t *testing.T) {
	asked := 0
	f := newFixture(t)
	f.service = newService(t, cognito.Config{Store: f.store, Accelerate: func(key crypto.Signer) (crypto.Signer, error) {
		asked++
		if _, ok := key.(*rsa.PrivateKey); !ok {
			t.Errorf("asked for a %T", key)
		}
		return key, nil
	}})
	for range 3 {
		if _, err := f.ask(t.Context(), f.reader.ClientID, f.reader.ClientSecret); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	f.service = newService(t, cognito.Config{Store: f.store, Accelerate: func(crypto.Signer) (crypto.Signer, error) { return nil, errors.New("no") }})
	if _, err := f.ask(t.Context(), f.reader.ClientID, f.reader.ClientSecret); !errors.Is(err, &cognito.TokenError{Code: "server_error"}) {
		t.Errorf("without a signer: %v", err)
	}
}
