package cognito

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// keyMaxAge is how long, in seconds, a key set and a discovery document may be kept: half of [KeyCacheTime], which a rotation
// allows for. A verifier that meets an unknown key id asks again anyway.
const keyMaxAge = 3600

// discoveryDocument renders the pool's openid-configuration (OpenID Connect Discovery 1.0, Section 3).
//
// Cognito: the members and their order are those of real documents captured in the field, without grant_types_supported and
// without custom scopes. The token endpoint is on the host of the pool's prefix domain where the issuer is AWS's own; under a
// base URL, and for a pool without a domain, it is under the issuer. The other endpoints go with it; of them only that of
// revocation is here, and the rest is for users.
func discoveryDocument(p *pool) ([]byte, error) {
	endpoints := p.endpoints()
	return json.Marshal(struct {
		AuthorizationEndpoint string   `json:"authorization_endpoint"`
		EndSessionEndpoint    string   `json:"end_session_endpoint"`
		SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
		Issuer                string   `json:"issuer"`
		JWKSURI               string   `json:"jwks_uri"`
		ResponseTypes         []string `json:"response_types_supported"`
		RevocationEndpoint    string   `json:"revocation_endpoint"`
		Scopes                []string `json:"scopes_supported"`
		SubjectTypes          []string `json:"subject_types_supported"`
		TokenEndpoint         string   `json:"token_endpoint"`
		AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
		UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	}{
		AuthorizationEndpoint: endpoints + "/oauth2/authorize",
		EndSessionEndpoint:    endpoints + "/logout",
		SigningAlgorithms:     p.access.algorithms(),
		Issuer:                p.issuer,
		JWKSURI:               p.issuer + "/.well-known/jwks.json",
		ResponseTypes:         []string{"code", "token"},
		RevocationEndpoint:    endpoints + "/oauth2/revoke",
		Scopes:                []string{"openid", "email", "phone", "profile"},
		SubjectTypes:          []string{"public"},
		TokenEndpoint:         endpoints + "/oauth2/token",
		AuthMethods:           []string{"client_secret_basic", "client_secret_post"},
		UserinfoEndpoint:      endpoints + "/oauth2/userInfo",
	})
}

// endpoints returns what the URLs of the pool's endpoints begin with.
func (p *pool) endpoints() string {
	region, _, _ := strings.Cut(p.ID, "_")
	host, _ := strings.CutSuffix(p.issuer, "."+region+".amazonaws.com/"+p.ID)
	if host == "https://cognito-idp" || host == "https://issuer-cognito-idp" {
		for _, d := range p.domains {
			if d.CustomDomainConfig == nil { // a pool has one at most
				return "https://" + d.Domain + ".auth." + region + ".amazoncognito.com"
			}
		}
	}
	return p.issuer
}

func (h *handler) discovery(w http.ResponseWriter, r *http.Request, e *entry) {
	h.document(w, r, e, func(p *pool) []byte { return p.discovery })
}

func (h *handler) jwks(w http.ResponseWriter, r *http.Request, e *entry) {
	h.document(w, r, e, func(p *pool) []byte { return p.jwks })
}

func (h *handler) document(w http.ResponseWriter, r *http.Request, e *entry, of func(*pool) []byte) {
	p, err := h.service.current.Load().pool(r.PathValue("pool"))
	if err != nil {
		h.writeDocumentError(w, e, err)
		return
	}
	e.pool = p.ID
	writeDocument(w, http.StatusOK, "public, max-age="+strconv.Itoa(keyMaxAge), of(p))
}

// writeDocumentError is the one place that turns an error into an answer of these two documents. A pool that does not
// exist is 404 here, where the JSON API has 400.
func (h *handler) writeDocumentError(w http.ResponseWriter, e *entry, err error) {
	problem := asAPIError(err)
	status := problem.Status
	if problem.Code == CodeResourceNotFound {
		status = http.StatusNotFound
	}
	h.explain(w, e, problem.Code, problem.Err)
	body, _ := json.Marshal(map[string]string{"message": clip(problem.Message)})
	writeDocument(w, status, "no-store", body)
}

func writeDocument(w http.ResponseWriter, status int, cache string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cache-Control", cache)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
