package prove_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/prove"
)

// The same cases over a connection give the same rows as in process.
func TestURLGivesTheSameRows(t *testing.T) {
	api := ordersAPI(t)
	server := httptest.NewServer(api)
	defer server.Close()
	inProcess := run(t, config(api.Policy(), api))
	target, err := prove.URL(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(api.Policy(), api)
	cfg.Target = target
	remote := run(t, cfg)
	if err := remote.Err(); err != nil {
		t.Fatal(err)
	}
	for i, row := range remote.Rows {
		if row.State != inProcess.Rows[i].State || row.Case != inProcess.Rows[i].Case || row.Got != inProcess.Rows[i].Got {
			t.Errorf("%s; in process %s", row, inProcess.Rows[i])
		}
	}
}

// A service behind an edge may have a path in front of its own.
func TestURLWithAPath(t *testing.T) {
	api := ordersAPI(t)
	server := httptest.NewServer(http.StripPrefix("/shop", api))
	defer server.Close()
	target, err := prove.URL(server.URL+"/shop/", server.Client())
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(api.Policy(), api)
	cfg.Target = target
	if err := run(t, cfg).Err(); err != nil {
		t.Error(err)
	}
}

// A redirect is an answer. To follow it would send the token to where it points.
func TestURLFollowsNoRedirect(t *testing.T) {
	var mu sync.Mutex
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	target, err := prove.URL(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	p := policyOf(countersign.Route{Pattern: "GET /a", Rule: countersign.Scope("orders.read")})
	report := run(t, prove.Config{Policy: p, Target: target})
	if row := find(t, report, "GET /a", "401 no token"); row.State != prove.Different || row.Got != "302" {
		t.Errorf("%s", row)
	}
	for _, path := range paths {
		if path == "/elsewhere" {
			t.Fatal("the redirect was followed")
		}
	}
}

func TestURLThatCannotBeReached(t *testing.T) {
	target, err := prove.URL("http://127.0.0.1:0", nil) // nobody can listen at port 0
	if err != nil {
		t.Fatal(err)
	}
	api := ordersAPI(t)
	cfg := config(api.Policy(), api)
	cfg.Target = target
	report := run(t, cfg)
	if report.ExitCode() != 2 {
		t.Errorf("exit code %d", report.ExitCode())
	}
	for _, row := range report.Rows {
		if strings.Contains(row.Note, "eyJ") || strings.Contains(row.Note, "access_token") {
			t.Errorf("%s: the note has a token", row.Case)
		}
	}
}

func TestURLRefuses(t *testing.T) {
	for _, address := range []string{"", "api.example.com", "ftp://api.example.com", "https://", "https://a:b@api.example.com", "https://api.example.com?x=1", "https://api.example.com#x", "https://%zz"} {
		if _, err := prove.URL(address, nil); err == nil || !strings.HasPrefix(err.Error(), "prove: ") || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
