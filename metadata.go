package countersign

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// metadataPath is the well-known path of RFC 9728, Section 3.
const metadataPath = "/.well-known/oauth-protected-resource"

// metadataURL is where the document about the resource stands.
//
// RFC 9728, Section 3.1: the well-known string is put between the host and the path of the resource's identifier.
func metadataURL(resource string) (string, error) {
	u, err := url.Parse(resource)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("ResourceMetadata needs a Resource that is a URL of scheme, host and path")
	}
	return u.Scheme + "://" + u.Host + metadataPath + u.EscapedPath(), nil
}

// resourceMetadata is the document about this resource (RFC 9728, Section 2).
type resourceMetadata struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported,omitempty"`
	Methods  []string `json:"bearer_methods_supported"`
}

// handleMetadata serves the document, when the configuration asks for it.
func (m *Mux) handleMetadata() {
	if m.guard.metadataURL == "" {
		return
	}
	u, err := url.Parse(m.guard.metadataURL)
	if err != nil { // cannot be: it was made of a parsed URL
		return
	}
	m.HandleFunc("GET "+u.EscapedPath(), m.serveMetadata, Public("metadata of the resource, RFC 9728"))
}

func (m *Mux) serveMetadata(w http.ResponseWriter, r *http.Request) {
	policy := m.Policy()
	document := resourceMetadata{Resource: policy.Resource, Servers: m.guard.issuerNames(), Methods: []string{"header"}}
	for _, route := range policy.Routes {
		for _, need := range route.Rule.needs {
			for _, name := range need.Scopes {
				if full := policy.FullScope(name); !slices.Contains(document.Scopes, full) {
					document.Scopes = append(document.Scopes, full)
				}
			}
		}
	}
	slices.Sort(document.Scopes)
	body, err := json.Marshal(document)
	if err != nil {
		http.Error(w, "the document cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

func (g *Guard) issuerNames() []string {
	names := []string{g.primary.issuer}
	for _, t := range g.issuers {
		if !slices.Contains(names, t.issuer) {
			names = append(names, t.issuer)
		}
	}
	slices.SortFunc(names[1:], strings.Compare)
	return names
}
