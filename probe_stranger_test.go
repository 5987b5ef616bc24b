package countersign_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
)

// strangers are requests without a token that may probe.
func strangers() map[string][]string {
	good := scoped("demo.read")
	return map[string][]string{
		"nobody":               nil,
		"a caller":             {"Bearer " + good},
		"a writer":             {"Bearer " + scoped("demo.write")},
		"signature spoilt":     {"Bearer " + spoilt(scoped("prove.ask"))},
		"expired":              {"Bearer " + sign(cognitoHeader, cognitoClaims.with("scope", `"`+resource+`/prove.ask"`).with("exp", seconds(-time.Hour)))},
		"near the scope":       {"Bearer " + scoped("prove.as", "prove.ask2", "PROVE.ASK")},
		"scope elsewhere":      {"Bearer " + sign(cognitoHeader, cognitoClaims.with("scope", `"https://b.example.com/prove.ask"`))},
		"scope without prefix": {"Bearer " + sign(cognitoHeader, cognitoClaims.with("scope", `"prove.ask"`))},
		"another issuer":       {"Bearer " + sign(rfc9068Header, rfc9068Claims.with("scope", `"prove.ask"`))},
		"two headers":          {"Bearer " + good, "Bearer " + scoped("prove.ask")},
		"basic":                {"Basic YTpi"},
		"no token at all":      {"Bearer "},
	}
}

func spoilt(token string) string {
	at := len(token) - 40
	return token[:at] + map[bool]string{true: "B", false: "A"}[token[at] == 'A'] + token[at+1:]
}

// To a stranger the field makes no difference: not in the answer, not in the log, not in what is observed, not in what is done.
func TestProbeOfAStranger(t *testing.T) {
	var log bytes.Buffer
	seen := &observer{}
	issuer, second := newIssuer(pool), newIssuer(tenant)
	guard := issuer.guard(t, func(cfg *countersign.Config) {
		probing(cfg)
		cfg.AlsoTrust = []countersign.Issuer{{Issuer: tenant}}
		cfg.HTTPClient = &http.Client{Transport: either{issuer, second}}
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		cfg.Observer = seen
	})
	api := demoAPI(guard)
	for name, authorization := range strangers() {
		for _, route := range []string{"GET /demo", "POST /demo", "HEAD /demo", "GET /whoami", "GET /healthz", "GET /nowhere", "DELETE /demo"} {
			method, target, _ := strings.Cut(route, " ")
			serve(api, method, target, authorization...) // the first sight of a token is another matter
			var told [2]string
			for i, fields := range [][]string{nil, {resource + "/demo.write"}} {
				log.Reset()
				seen.reset()
				r := httptest.NewRequest(method, target, nil)
				for _, value := range authorization {
					r.Header.Add("Authorization", value)
				}
				for _, value := range fields {
					r.Header.Add("Countersign-Probe", value)
				}
				w := httptest.NewRecorder()
				api.ServeHTTP(w, r)
				told[i] = dump(t, w.Result()) + masked(log.String()) + masked(fmt.Sprintf("%+v", seen.decisions))
			}
			if told[0] != told[1] || strings.Contains(told[0], "Probe") {
				t.Errorf("%s, %s: without the field\n%s\nwith it\n%s", name, route, told[0], told[1])
			}
		}
	}
}

// Nor does it make a stranger wait: no more is done, as the allocations show.
func TestProbeOfAStrangerTakesNoDetour(t *testing.T) {
	api := demoAPI(newIssuer(pool).guard(t, probing))
	for name, authorization := range strangers() {
		var allocs [2]float64
		for i, fields := range []http.Header{{}, {"Countersign-Probe": {resource + "/demo.write"}}} {
			r := httptest.NewRequest("POST", "/demo", nil)
			maps.Copy(r.Header, fields)
			r.Header["Authorization"] = authorization
			allocs[i] = testing.AllocsPerRun(300, func() { api.ServeHTTP(discard{http.Header{}}, r) })
		}
		// Under the race detector a sync.Pool drops things by chance, so that the averages differ a little; a verification has ten.
		if math.Abs(allocs[0]-allocs[1]) > 2 {
			t.Errorf("%s: %v allocations without the field, %v with it", name, allocs[0], allocs[1])
		}
	}
}

// dump is an answer as it goes over the wire, without the random id of a refusal.
func dump(t *testing.T, res *http.Response) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(res.Status + "\n")
	if err := res.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&b, res.Body); err != nil {
		t.Fatal(err)
	}
	return masked(b.String())
}

var decisionID = regexp.MustCompile(`[0-9a-f]{16}`)

func masked(text string) string { return decisionID.ReplaceAllString(text, "ID") }
