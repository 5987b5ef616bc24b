package serve_test

import (
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/countersign-dev/countersign/cmd/countersign/serve"
	"github.com/countersign-dev/countersign/cognito"
)

// scrape asks for the metrics as Prometheus does and reads them with its parser.
func scrape(t *testing.T, r running) map[string]*dto.MetricFamily {
	t.Helper()
	status, body := get(t, http.DefaultClient, "http://"+r.AdminAddress()+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	if strings.Contains(body, *r.client.ClientSecret) {
		t.Error("the metrics have a client's secret")
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value sums the series of a family that have all the labels.
func value(families map[string]*dto.MetricFamily, name string, labels map[string]string) (sum float64) {
	for _, m := range families[name].GetMetric() {
		matches := 0
		for _, pair := range m.GetLabel() {
			if labels[pair.GetName()] == pair.GetValue() {
				matches++
			}
		}
		if matches == len(labels) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

func TestMetrics(t *testing.T) {
	r := begin(t, "keys: {rotateEvery: 720h}\naudit: {file: audit.jsonl}\n")
	for range 3 {
		r.token(t, http.DefaultClient)
	}
	right := *r.client.ClientSecret
	*r.client.ClientSecret = "wrong-wrong-wrong-wrong"
	r.token(t, http.DefaultClient)
	*r.client.ClientSecret = right
	known := *r.client.ClientId
	for _, invented := range []string{"a", "b", "c"} {
		r.client.ClientId = &invented
		r.token(t, http.DefaultClient)
	}
	families := scrape(t, r)
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"countersign_issuer_tokens_total", map[string]string{"client": known, "outcome": "issued"}, 3},
		{"countersign_issuer_tokens_total", map[string]string{"client": known, "outcome": "invalid_client"}, 1},
		{"countersign_issuer_tokens_total", map[string]string{"client": "unknown", "outcome": "invalid_client"}, 3},
		{"countersign_issuer_tokens_total", nil, 7},
		{"countersign_issuer_request_duration_seconds", map[string]string{"route": "token"}, 7},
		{"countersign_issuer_requests_total", map[string]string{"route": "api", "operation": "CreateUserPool", "error": ""}, 1},
		{"countersign_issuer_keys", map[string]string{"pool": r.pool, "state": "signing"}, 1},
		{"countersign_issuer_keys", map[string]string{"pool": r.pool, "state": "published"}, 0},
		{"countersign_issuer_store_up", nil, 1},
		{"countersign_issuer_store_errors_total", nil, 0},
		{"countersign_issuer_audit_dropped_total", nil, 0},
	} {
		if got := value(families, tt.name, tt.labels); got != tt.want {
			t.Errorf("%s%v is %v, want %v", tt.name, tt.labels, got, tt.want)
		}
	}
	if age := value(families, "countersign_issuer_snapshot_age_seconds", nil); age < 0 || age > 60 {
		t.Errorf("the snapshot is %v seconds old", age)
	}
	if left := value(families, "countersign_issuer_key_rotation_seconds", map[string]string{"pool": r.pool}); left < 719*3600 || left > 720*3600 {
		t.Errorf("the next key signs in %v seconds", left)
	}
	if families["process_resident_memory_bytes"] == nil || families["go_goroutines"] == nil {
		t.Error("the process has no metrics")
	}
}

// TestKeysInMetrics: an alarm on a rotation that is due needs the time that is left.
func TestKeysInMetrics(t *testing.T) {
	r := begin(t, "")
	if got := scrape(t, r)["countersign_issuer_key_rotation_seconds"]; got != nil {
		t.Errorf("without a schedule: %v", got)
	}
	service, store, err := serve.OpenService(t.Context(), r.config) // as the command does
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := service.RotateKey(t.Context(), cognito.RotateKeyInput{UserPoolID: r.pool}); err != nil {
		t.Fatal(err)
	}
	for value(scrape(t, r), "countersign_issuer_keys", map[string]string{"pool": r.pool, "state": "published"}) != 1 {
		if t.Context().Err() != nil {
			t.Fatal("the server does not follow the store")
		}
	}
	if left := value(scrape(t, r), "countersign_issuer_key_rotation_seconds", nil); left < 7000 || left > 7500 {
		t.Errorf("the next key signs in %v seconds", left)
	}
}
