// Package demo is a microservice as a user of Countersign writes it: one guarded route to read, one to write, one
// public one for the probe of its platform. Start with [NewAPI]; cmd/demo serves it.
package demo

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/countersign-dev/countersign"
)

// Resource is the identifier of the resource server whose scopes the routes ask for.
const Resource = "https://api.example.com"

// NewAPI returns the service's routes, each with the rule that says who may call it.
func NewAPI(guard *countersign.Guard) http.Handler {
	api := guard.Mux()
	api.HandleFunc("GET /api/demo/protectedRole/{name}", protectedRole, countersign.Scope("demo.read"))
	api.HandleFunc("POST /api/demo/protectedUpload", protectedUpload, countersign.Scope("demo.write"))
	api.HandleFunc("GET /healthz", healthz, countersign.Public("liveness probe"))
	return api
}

func protectedRole(w http.ResponseWriter, r *http.Request) {
	answer, err := json.Marshal(struct {
		ProtectedAPI string `json:"protectedAPI"`
		ParamName    string `json:"paramName"`
	}{"true", r.PathValue("name")})
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(answer)
}

func protectedUpload(w http.ResponseWriter, r *http.Request) {
	values, err := readValues(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "Received: "+values.String())
}

func healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}
