package prove_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/internal/jose"
	"github.com/countersign-dev/countersign/prove"
)

// ended is a token of an issuer that ended so many seconds ago.
func ended(t *testing.T, issuer string, ago int64) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{
		"iss": issuer, "sub": "client", "client_id": "client", "token_use": "access", "exp": start.Unix() - ago, "scope": read,
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Sign(memory{issuerKey()}, jose.RS256, []byte(`{"kid":"k","alg":"RS256"}`), claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A token that a client kept until it was over shows on any target that its end is looked at, without the issuer's key.
func TestExpiredToken(t *testing.T) {
	for _, tt := range []struct {
		name    string
		service twin
		expired string
		state   prove.State
		note    string
	}{
		{"looked at", twin{}, ended(t, issuerURL, 3600), prove.Proved, ""},
		{"not looked at", twin{"exp"}, ended(t, issuerURL, 3600), prove.Different, "admitted, though it must be refused"},
		{"another issuer's", twin{}, ended(t, "https://other.example.com", 3600), prove.Unprovable, "the expired token is another issuer's"},
		{"none", twin{}, "", prove.Unprovable, "only who holds the issuer's private key can make it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(twinPolicy, tt.service)
			cfg.Signer, cfg.Expired = nil, tt.expired
			report := run(t, cfg)
			if row := find(t, report, "GET /api/orders/{id}", "bad token expired"); row.State != tt.state || row.Note != tt.note {
				t.Errorf("%s: %s", row.State, row)
			}
			if tt.expired != "" && strings.Contains(report.Summary(), tt.expired) {
				t.Error("the token is in the report")
			}
		})
	}
	for expired, want := range map[string]string{
		ended(t, issuerURL, 60): "Expired has not been over for 5m0s", "opaque": "Expired is no JWT with an exp", ended(t, issuerURL, -60): "Expired has not been over",
	} {
		cfg := config(twinPolicy, twin{})
		cfg.Expired = expired
		if _, err := prove.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), expired) && expired != "opaque" {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
