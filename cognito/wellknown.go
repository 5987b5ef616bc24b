package cognito

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// keyMaxAge is how long, in seconds, a key set and a discovery document may be kept. A pool's keys do not change while
// it lives; a verifier that meets an unknown key id asks again anyway.
const keyMaxAge = 3600

// discoveryDocument renders the pool's openid-configuration (OpenID Connect Discovery 1.0, Section 3).
//
// Cognito: the members are those of a real document captured in the field, without grant_types_supported and without
// custom scopes. There the token endpoint is on the host of the domain; here every pool has one, under its issuer.
func discoveryDocument(p *pool) ([]byte, error) {
	return json.Marshal(struct {
		AuthorizationEndpoint string   `json:"authorization_endpoint"`
		SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
		Issuer                string   `json:"issuer"`
		JWKSURI               string   `json:"jwks_uri"`
		ResponseTypes         []string `json:"response_types_supported"`
		Scopes                []string `json:"scopes_supported"`
		SubjectTypes          []string `json:"subject_types_supported"`
		TokenEndpoint         string   `json:"token_endpoint"`
		AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
		UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	}{
		AuthorizationEndpoint: p.issuer + "/oauth2/authorize",
		SigningAlgorithms:     []string{string(p.access.alg)},
		Issuer:                p.issuer,
		JWKSURI:               p.issuer + "/.well-known/jwks.json",
		ResponseTypes:         []string{"code", "token"},
		Scopes:                []string{"openid", "email", "phone", "profile"},
		SubjectTypes:          []string{"public"},
		TokenEndpoint:         p.issuer + "/oauth2/token",
		AuthMethods:           []string{"client_secret_basic", "client_secret_post"},
		UserinfoEndpoint:      p.issuer + "/oauth2/userInfo",
	})
}

func (h *handler) discovery(w http.ResponseWriter, r *http.Request, e *entry) {
	h.document(w, r, e, func(p *pool) []byte { return p.discovery })
}

func (h *handler) jwks(w http.ResponseWriter, r *http.Request, e *entry) {
	h.document(w, r, e, func(p *pool) []byte { return p.jwks })
}

func (h *handler) document(w http.ResponseWriter, r *http.Request, e *entry, of func(*pool) []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Access-Control-Allow-Origin", "*")
	p := h.service.current.Load().pools[r.PathValue("pool")]
	if p == nil {
		header.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotFound)
		e.code = CodeResourceNotFound
		message, _ := json.Marshal("User pool " + clip(r.PathValue("pool")) + " does not exist.")
		_, _ = w.Write(append(append([]byte(`{"message":`), message...), '}'))
		return
	}
	e.pool = p.ID
	header.Set("Cache-Control", "public, max-age="+strconv.Itoa(keyMaxAge))
	_, _ = w.Write(of(p))
}
