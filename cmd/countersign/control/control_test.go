package control_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
	"github.com/countersign-dev/countersign/cmd/countersign/control"
	"github.com/countersign-dev/countersign/cognito"
)

type steered struct {
	http.Handler
	chaos  *chaos.Chaos
	quotas *cognito.Quotas
	clock  *control.Clock
}

func steer(t *testing.T) steered {
	t.Helper()
	s := steered{chaos: chaos.New(http.NotFoundHandler(), chaos.Plan{}), quotas: cognito.NewQuotas(cognito.Rates{}, nil), clock: &control.Clock{}}
	var err error
	if s.Handler, err = control.New(control.Config{Chaos: s.chaos, Quotas: s.quotas, Clock: s.clock}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s steered) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8082"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	return rec
}

func TestChaos(t *testing.T) {
	s := steer(t)
	res := s.do("PUT", "/chaos", `{"chaos":"slow=10,500=2","seed":7}`)
	if plan, _ := s.chaos.Plan(); res.Code != 200 || plan.String() != "slow=10,500=2" || plan.Seed() != 7 {
		t.Errorf("%d %s: %s", res.Code, res.Body, plan)
	}
	if got := s.do("GET", "/chaos", "").Body.String(); got != `{"chaos":"slow=10,500=2","seed":7,"requests":0}`+"\n" {
		t.Error(got)
	}
	s.do("PUT", "/chaos", `{"chaos":""}`)
	if plan, _ := s.chaos.Plan(); plan.String() != "" {
		t.Errorf("plan %s", plan)
	}
}

func TestQuotas(t *testing.T) {
	s := steer(t)
	for body, want := range map[string]cognito.Rates{`"aws"`: cognito.AWSRates(), `"off"`: {}, `{"clientAuthentication":3}`: {ClientAuthentication: 3}} {
		if res := s.do("PUT", "/quotas", body); res.Code != 200 || s.quotas.Rates() != want {
			t.Errorf("%s: %d %s", body, res.Code, res.Body)
		}
		var got cognito.Rates
		if err := json.Unmarshal(s.do("GET", "/quotas", "").Body.Bytes(), &got); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestClock(t *testing.T) {
	s := steer(t)
	if res := s.do("POST", "/clock", `{"offset":"-2h"}`); res.Code != 200 || s.clock.Offset() != -2*time.Hour || !strings.Contains(res.Body.String(), `"offset":"-2h0m0s"`) {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	if res := s.do("POST", "/clock", `{"now":"2030-01-02T03:04:05Z"}`); res.Code != 200 || s.clock.Now().Before(at) || s.clock.Now().Sub(at) > time.Minute {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	s.do("POST", "/clock", `{"offset":"0s"}`)
	if s.clock.Offset() != 0 {
		t.Errorf("offset %v", s.clock.Offset())
	}
}

func TestRefused(t *testing.T) {
	s := steer(t)
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"a rebound name", "PUT", "/chaos", `{"chaos":""}`, []string{"Host", "evil.example:8082"}, 403},
		{"a name that begins well", "GET", "/clock", "", []string{"Host", "localhost.evil.example"}, 403},
		{"a page", "PUT", "/chaos", `{"chaos":""}`, []string{"Origin", "https://evil.example"}, 403},
		{"a page of this machine", "GET", "/chaos", "", []string{"Origin", "http://localhost:3000"}, 403},
		{"an opaque origin", "GET", "/chaos", "", []string{"Origin", "null"}, 403},
		{"a link", "GET", "/chaos", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"plain text", "POST", "/clock", `{"offset":"1h"}`, []string{"Content-Type", "text/plain"}, 415},
		{"a form", "POST", "/clock", `offset=1h`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"too large", "PUT", "/chaos", `{"chaos":"` + strings.Repeat(" ", 20<<10) + `"}`, nil, 413},
		{"unknown fault", "PUT", "/chaos", `{"chaos":"slowly=1"}`, nil, 400},
		{"no chaos", "PUT", "/chaos", `{"seed":1}`, nil, 400},
		{"unknown member", "PUT", "/chaos", `{"chaos":"","sead":1}`, nil, 400},
		{"two values", "PUT", "/chaos", `{"chaos":""}{}`, nil, 400},
		{"negative seed", "PUT", "/chaos", `{"chaos":"","seed":-1}`, nil, 400},
		{"unknown quotas", "PUT", "/quotas", `"azure"`, nil, 400},
		{"unknown rate", "PUT", "/quotas", `{"clientAuth":3}`, nil, 400},
		{"negative rate", "PUT", "/quotas", `{"clientAuthentication":-1}`, nil, 400},
		{"null", "PUT", "/quotas", `null`, nil, 400},
		{"two times", "POST", "/clock", `{"now":"2030-01-02T03:04:05Z","offset":"1h"}`, nil, 400},
		{"no time", "POST", "/clock", `{}`, nil, 400},
		{"bad offset", "POST", "/clock", `{"offset":"tomorrow"}`, nil, 400},
		{"the year 9999", "POST", "/clock", `{"now":"9999-01-02T03:04:05Z"}`, nil, 400},
		{"another method", "DELETE", "/chaos", "", nil, 405},
		{"another path", "GET", "/", "", nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			if res := s.do(c.method, c.path, c.body, c.header...); res.Code != c.status {
				t.Errorf("%d %s, want %d", res.Code, res.Body, c.status)
			}
			if plan, _ := s.chaos.Plan(); plan.String() != "" || s.clock.Offset() != 0 || s.quotas.Rates() != (cognito.Rates{}) {
				t.Error("something was set")
			}
		})
	}
}

func TestAddress(t *testing.T) {
	for address, ok := range map[string]bool{"localhost:0": true, "127.0.0.1:8082": true, "[::1]:8082": true, ":8082": false, "0.0.0.0:8082": false, "192.0.2.1:1": false, "localhost": false, "example.com:1": false} {
		if err := control.CheckAddress(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}
