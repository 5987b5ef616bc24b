package chaos_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/chaos"
)

func plan(t testing.TB, text string, seed uint64) chaos.Plan {
	t.Helper()
	p, err := chaos.Parse(text, seed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"": "", " ": "", "slow=10": "slow=10", "truncated=1, slow=0.5": "slow=0.5,truncated=1", "500=2.25,429=0": "500=2.25", "slow=100": "slow=100",
		"slow=10,500=2,429=2,unknown-kid=1,truncated=1": "slow=10,500=2,429=2,unknown-kid=1,truncated=1",
	} {
		if got := plan(t, text, 7).String(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"slow": "not of the form slow=10", "slowly=1": `the fault "slowly" is unknown`, "slow=1,slow=2": "slow is there twice", "slow=-1": "want a percentage",
		"slow=101": "want a percentage", "slow=": "want a percentage", "slow=1.234": "want a percentage", "slow=1.": "want a percentage", "slow=1e1": "want a percentage",
		"slow=60,500=60": "come to 120, more than 100", "slow=x,abc=1": "unknown", "slow=1,": "not of the form", "slow=٣": "want a percentage",
	} {
		if _, err := chaos.Parse(text, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// FuzzParse: what is accepted reads the same when it is printed and read again.
func FuzzParse(f *testing.F) {
	f.Add("slow=10,500=2,429=2,unknown-kid=1,truncated=1")
	f.Add("slow=0.05")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := chaos.Parse(text, 3)
		if err != nil {
			return
		}
		again, err := chaos.Parse(p.String(), 3)
		if err != nil || again != p {
			t.Errorf("%q, printed %q, is %q (%v)", text, p, again, err)
		}
	})
}

// TestReplay: the n-th request has the same fate each time, and these fates are part of the interface: a seed in a bug
// report must mean the same in the next version.
func TestReplay(t *testing.T) {
	p := plan(t, "slow=10,500=20,429=20,unknown-kid=10,truncated=10", 7)
	var got []string
	for n := range uint64(12) {
		got = append(got, string(p.Fate(n+1)))
	}
	const want = "500  429  unknown-kid  429 500   429 429"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("fates of seed 7:\n got %s\nwant %s", s, want)
	}
}

// TestPercentages: in a hundred thousand requests each fate comes as often as it was asked for.
func TestPercentages(t *testing.T) {
	p := plan(t, "slow=10,500=2,429=2,unknown-kid=1,truncated=0.5", 1)
	counts := map[chaos.Fate]int{}
	for n := range uint64(100_000) {
		counts[p.Fate(n+1)]++
	}
	for fate, percent := range map[chaos.Fate]float64{chaos.Slow: 10, chaos.Error: 2, chaos.Throttled: 2, chaos.UnknownKid: 1, chaos.Truncated: 0.5, "": 84.5} {
		if got := float64(counts[fate]) / 1000; got < percent*0.85 || got > percent*1.15 {
			t.Errorf("%q in %.2f percent, want %.2f (%v)", fate, got, percent, maps.Clone(counts))
		}
	}
}

// TestFatesAreIndependent: with a fault in every second request, a fault follows a fault as often as it follows none, for
// neighbouring requests and for the same request of neighbouring seeds.
func TestFatesAreIndependent(t *testing.T) {
	fault := func(seed, n uint64) bool { return plan(t, "500=50", seed).Fate(n) != "" }
	for name, pair := range map[string]func(i uint64) (bool, bool){
		"requests": func(i uint64) (bool, bool) { return fault(7, i), fault(7, i+1) },
		"seeds":    func(i uint64) (bool, bool) { return fault(i, 1), fault(i+1, 1) },
	} {
		same := 0
		for i := range uint64(10_000) {
			if a, b := pair(i + 1); a == b {
				same++
			}
		}
		if same < 4_750 || same > 5_250 {
			t.Errorf("%s: %d of 10000 neighbours are alike, want about half", name, same)
		}
	}
}

const tokenBody = `{"access_token":"eyJraWQiOiJrbm93biIsImFsZyI6IlJTMjU2In0.e30.c2ln","expires_in":3600,"token_type":"Bearer"}`

// issuer answers as one does.
func issuer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if strings.HasSuffix(r.URL.Path, "jwks.json") {
		io.WriteString(w, `{"keys":[{"kid":"known","n":"AQAB"},{"kid":"other"}]}`)
		return
	}
	io.WriteString(w, tokenBody)
}

var paths = []string{"/p/oauth2/token", "/p/.well-known/jwks.json", "/p/.well-known/openid-configuration"}

func serve(t *testing.T, text string) string {
	t.Helper()
	server := httptest.NewServer(chaos.New(http.HandlerFunc(issuer), plan(t, text, 7)))
	t.Cleanup(server.Close)
	return server.URL
}

func get(t *testing.T, url string) (*http.Response, string, error) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func TestStatusFates(t *testing.T) {
	for text, status := range map[string]int{"500=100": 500, "429=100": 429} {
		url := serve(t, text)
		for _, path := range paths {
			res, _, err := get(t, url+path)
			if err != nil || res.StatusCode != status || res.Header.Get(chaos.Header) == "" || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d %v %v", text, path, res.StatusCode, res.Header, err)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	url := serve(t, "truncated=100")
	for _, path := range paths {
		res, body, err := get(t, url+path)
		if !errors.Is(err, io.ErrUnexpectedEOF) || body == "" || int64(len(body)) >= res.ContentLength {
			t.Errorf("%s: %d of %d bytes, %v", path, len(body), res.ContentLength, err)
		}
	}
}

func TestUnknownKid(t *testing.T) {
	url := serve(t, "unknown-kid=100")
	_, body, _ := get(t, url+paths[0])
	header, _, _ := strings.Cut(strings.TrimPrefix(body, `{"access_token":"`), ".")
	decoded, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil || strings.Contains(string(decoded), "known") || !strings.Contains(string(decoded), `"alg":"RS256"`) || !strings.Contains(body, ".e30.c2ln") {
		t.Errorf("token %s (header %s, %v)", body, decoded, err)
	}
	res, body, _ := get(t, url+paths[1])
	if strings.Contains(body, "known") || strings.Contains(body, "other") || !strings.Contains(body, "AQAB") || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("keys %s", body)
	}
	if res, body, _ := get(t, url+paths[2]); body != tokenBody || res.Header.Get(chaos.Header) != "" {
		t.Errorf("discovery %s", body)
	}
}

func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := chaos.New(http.HandlerFunc(issuer), plan(t, "slow=100", 7))
		for range 20 {
			start := time.Now()
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", paths[1], nil))
			if took := time.Since(start); took < time.Second || took > 3*time.Second || rec.Code != 200 {
				t.Errorf("%d after %v", rec.Code, took)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", paths[1], nil).WithContext(ctx))
		if time.Since(start) > 0 {
			t.Error("a caller that is gone is waited for")
		}
	})
}

// TestOthersPass: the JSON API and the page are out of it, and are not counted.
func TestOthersPass(t *testing.T) {
	h := chaos.New(http.HandlerFunc(issuer), plan(t, "500=100", 7))
	for _, path := range []string{"/", "/healthz", "/p/oauth2/tokens"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("POST", path, nil))
		if rec.Code != 200 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	if _, n := h.Plan(); n != 0 {
		t.Errorf("%d requests counted", n)
	}
}
