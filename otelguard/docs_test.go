package otelguard_test

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/otelguard"
	"go.opentelemetry.io/otel/sdk/metric"
)

// The page lists exactly the instruments that there are, and so does the doc comment of Observer.
func TestThePagesListTheInstruments(t *testing.T) {
	reader := metric.NewManualReader()
	o, err := otelguard.New(otelguard.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	o.Decision(t.Context(), countersign.DecisionEvent{Decision: countersign.Allow, Issuer: "https://issuer.test", Ahead: time.Second})
	for _, kind := range []countersign.KeyEventKind{countersign.KeysFetched, countersign.KeysUnknownKid, countersign.KeysSuppressed, countersign.KeysWithdrawn} {
		o.Keys(countersign.KeyEvent{Issuer: "https://issuer.test", Kind: kind, Keys: 1})
	}
	var measured []string
	for _, one := range (&system{t: t, reader: reader}).collect() {
		measured = append(measured, one.name)
	}
	slices.Sort(measured)
	measured = slices.Compact(measured)
	for file, pattern := range map[string]string{
		"../docs/observability.md": "(?m)^\\| `((?:authz|auth|jwks)\\.[a-z_.]+)` \\|",
		"observer.go":              `(?m)^//\t((?:authz|auth|jwks)\.[a-z_.]+) `,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var listed []string
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			listed = append(listed, found[1])
		}
		slices.Sort(listed)
		if !slices.Equal(listed, measured) {
			t.Errorf("%s lists %q, measured is %q", file, listed, measured)
		}
	}
}
