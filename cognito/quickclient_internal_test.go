package cognito

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// everySetting is a client with all that a machine's client can have.
func everySetting() clientBody {
	on := true
	at := Time{time.UnixMilli(1795428283945).UTC()}
	return clientBody{
		UserPoolClient: UserPoolClient{
			UserPoolID: "ap-southeast-1_AbCdEf123", ClientName: "reader, of demo@example.com", ClientID: "4kqabcdefghijklmnopqrstuvw",
			CreationDate: at, LastModifiedDate: at,
			ClientSettings: ClientSettings{
				RefreshTokenValidity: 30, AccessTokenValidity: 5, IDTokenValidity: 1,
				TokenValidityUnits:    &TokenValidityUnits{AccessToken: "minutes", IDToken: "hours", RefreshToken: "days"},
				ExplicitAuthFlows:     []string{"ALLOW_REFRESH_TOKEN_AUTH"},
				AllowedOAuthFlows:     []string{"client_credentials"},
				AllowedOAuthScopes:    []string{"https://api.example.com/demo.read", "https://api.example.com/demo.write"},
				EnableTokenRevocation: &on, AllowedOAuthFlowsUserPoolClient: true, AuthSessionValidity: 3,
			},
		},
		Secrets: []secretBody{{"id--1", "first", at}, {"id--2", "second", at}},
	}
}

// TestQuickClientReadsWhatIsWritten: a member that quickClient does not know makes it useless, and nobody would notice.
func TestQuickClientReadsWhatIsWritten(t *testing.T) {
	few := everySetting()
	few.TokenValidityUnits, few.Secrets, few.ExplicitAuthFlows = &TokenValidityUnits{}, nil, nil
	for name, want := range map[string]clientBody{"every setting": everySetting(), "few settings": few} {
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got clientBody
		if ok := quickClient(&got, body, commonStrings{}); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read %t: got %+v, want %+v", name, ok, got, want)
		}
	}
}

// TestQuickClientReadsWhatIsStored: a client as the rules of CreateUserPoolClient make it.
func TestQuickClientReadsWhatIsStored(t *testing.T) {
	store := NewMemoryStore()
	s, err := New(t.Context(), Config{Store: store, NewKey: func() (crypto.Signer, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := s.CreateUserPool(t.Context(), CreateUserPoolInput{PoolName: "p"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateUserPoolClient(t.Context(), CreateUserPoolClientInput{UserPoolID: pool.UserPool.ID, ClientName: "c", GenerateSecret: true})
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		var c clientBody
		if r.Kind == KindClient && !quickClient(&c, r.Body, nil) {
			t.Errorf("%s is left to encoding/json", r.Body)
		}
	}
}

// TestQuickClientLeavesTheRest: to encoding/json, which says what it is.
func TestQuickClientLeavesTheRest(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":          ``,
		"no object":        `[]`,
		"null":             `null`,
		"a space":          `{"ClientName": "n"}`,
		"an escape":        `{"ClientName":"a\u0041"}`,
		"another alphabet": `{"ClientName":"é"}`,
		"an unknown name":  `{"Unheard":1}`,
		"another case":     `{"clientname":"n"}`,
		"cut short":        `{"ClientName":"n"`,
		"more behind":      `{"ClientName":"n"}{}`,
		"a comma too much": `{"ClientName":"n",}`,
		"no comma":         `{"ClientName":"n""ClientId":"i"}`,
		"a leading zero":   `{"AccessTokenValidity":05}`,
		"a fraction":       `{"AccessTokenValidity":5.0}`,
		"a large number":   `{"AccessTokenValidity":5000000000}`,
		"no number":        `{"AccessTokenValidity":}`,
		"an empty list":    `{"AllowedOAuthScopes":[]}`,
		"a null list":      `{"AllowedOAuthScopes":null}`,
		"a short time":     `{"CreationDate":1795428283.9}`,
		"a long time":      `{"CreationDate":1795428283.9455}`,
		"a zero time":      `{"CreationDate":0795428283.945}`,
	} {
		var got clientBody
		if quickClient(&got, []byte(body), nil) {
			t.Errorf("%s: %s was read as %+v", name, body, got)
		}
	}
}

// FuzzQuickClient: what quickClient reads, encoding/json reads in the same way.
func FuzzQuickClient(f *testing.F) {
	body, err := json.Marshal(everySetting())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"Secrets":[],"TokenValidityUnits":{}}`))
	f.Add([]byte(`{"CreationDate":0.000,"AuthSessionValidity":0,"EnableTokenRevocation":false,"ClientId":"a","ClientId":"b"}`))
	f.Add([]byte(`{"Secrets":[{"ID":"a","Created":1.000},{}],"AllowedOAuthScopes":["a"],"AllowedOAuthScopes":["b","c"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want clientBody
		if !quickClient(&got, body, nil) {
			return
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q was read, and encoding/json says %v", body, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n got %+v\nwant %+v", body, got, want)
		}
	})
}
