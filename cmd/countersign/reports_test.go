package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/report"
	"github.com/countersign-dev/countersign/prove"
)

// An edge that checks tokens in front of a service that checks none: every case is proved through it, and the run still fails.
func TestEdgeOnlyProtectionFails(t *testing.T) {
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer edge.Close()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("orders")) }))
	defer service.Close()
	policy := countersign.Policy{Resource: "https://api.example.com", Routes: []countersign.Route{
		{Pattern: "GET /orders", Method: "GET", Path: "/orders", Rule: countersign.Scope("orders.read")},
	}}
	proveAt := func(url string) (prove.Report, error) {
		target, err := prove.URL(url, nil)
		if err != nil {
			return prove.Report{}, err
		}
		return prove.Run(t.Context(), prove.Config{Policy: policy, Target: target})
	}
	var stdout, stderr bytes.Buffer
	err := reportOptions{through: edge.URL, direct: service.URL, format: "table"}.run(t.Context(), nil, "", &stdout, &stderr, proveAt)
	var exit exitError
	if !errors.As(err, &exit) || exit != exitDifference {
		t.Errorf("the error is %v, want exit code %d", err, exitDifference)
	}
	for _, want := range []string{"401 no token, past the edge", "protected at the edge only", "refused: ", " by the edge only"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is not said", want)
		}
	}
	if strings.Contains(stdout.String(), "by the service") {
		t.Errorf("the service is said to refuse: %s", &stdout)
	}
}

func TestReportMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		options reportOptions
		args    []string
		want    string // empty: none
	}{
		"one address":             {reportOptions{format: "table"}, []string{"http://a"}, ""},
		"no address":              {reportOptions{format: "table"}, nil, "prove takes one URL"},
		"through alone":           {reportOptions{format: "table", through: "http://a"}, nil, "--through and --direct go together"},
		"both ways":               {reportOptions{format: "table", through: "http://a", direct: "http://b"}, nil, ""},
		"both ways and another":   {reportOptions{format: "table", through: "http://a", direct: "http://b"}, []string{"http://c"}, "and not both"},
		"a format of nobody":      {reportOptions{format: "tap"}, []string{"http://a"}, "--format tap: there are table, json"},
		"a report of nobody":      {reportOptions{format: "table", reports: []string{"tap=x"}}, []string{"http://a"}, "--report tap=x: write it as json=FILE"},
		"a report without a file": {reportOptions{format: "table", reports: []string{"json"}}, []string{"http://a"}, "--report json: write it as json=FILE"},
		"two on the standard output": {reportOptions{format: "table", reports: []string{"json=-", "sarif=-"}}, []string{"http://a"},
			"--report sarif=-: the standard output is taken already"},
		"a directory that is not there": {reportOptions{format: "table", reports: []string{"json=" + dir + "/none/x"}}, []string{"http://a"}, "make it first"},
		"one file for two": {reportOptions{format: "table", reports: []string{"json=" + dir + "/x", "html=" + dir + "/x"}}, []string{"http://a"},
			"another report's already"},
	} {
		err := test.options.check(newProve(), test.args)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// A token is asked for once, and a failure is asked again.
func TestOnceEach(t *testing.T) {
	asked := 0
	tokens := onceEach{have: map[string]string{}, Tokens: prove.Clients{{Scopes: []string{"a", "b"}, Token: func(context.Context, []string) (string, error) {
		if asked++; asked == 1 {
			return "", errors.New("out of order")
		}
		return "token", nil
	}}}}
	for i, want := range []string{"", "token", "token"} {
		if got, err := tokens.Token(t.Context(), []string{"a"}); got != want || (err == nil) != (want != "") {
			t.Errorf("call %d: %q, %v", i, got, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

// When a run is ended, what is known is written, and the exit code says that it is not all.
func TestEndedRunWritesWhatIsKnown(t *testing.T) {
	var stdout bytes.Buffer
	file := t.TempDir() + "/r.json"
	o := reportOptions{format: "table", outputs: []output{{"json", file}}}
	ended := errors.New("ended")
	err := o.run(t.Context(), []string{"http://a"}, "", &stdout, &stdout, func(string) (prove.Report, error) {
		return prove.Report{Rows: []prove.Row{{Route: "GET /a", Case: "c", State: prove.NotRun}}}, ended
	})
	if !errors.Is(err, ended) || !strings.Contains(stdout.String(), "GET /a") {
		t.Errorf("%v; written: %s", err, &stdout)
	}
	if r, err := report.ReadFile(file); err != nil || r.ExitCode() != 2 || len(r.Rows) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPolicyName(t *testing.T) {
	for policy, want := range map[string]string{
		"":               "that of the running dev",
		"a/openapi.yaml": "a/openapi.yaml",
		"https://user:secret@example.com/openapi.yaml?key=secret": "https://example.com/openapi.yaml",
	} {
		if got := policyName(policy); got != want {
			t.Errorf("%q is called %q, want %q", policy, got, want)
		}
	}
}
