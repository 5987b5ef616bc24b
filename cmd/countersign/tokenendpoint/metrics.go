package tokenendpoint

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Sample is one number of the metrics.
type Sample struct {
	Name  string            `json:"name"`
	Help  string            `json:"-"`
	Gauge bool              `json:"-"` // otherwise a counter
	Label map[string]string `json:"labels,omitempty"`
	Value float64           `json:"value"`
}

// Metrics answers with what collect returns: in Prometheus' text format, or as JSON to who asks for that. Samples of one
// name stand together.
func Metrics(collect func() []Sample) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		samples := collect()
		if strings.Contains(r.Header.Get("Accept"), "application/json") {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"samples": samples})
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write([]byte(prometheus(samples)))
	}
}

func prometheus(samples []Sample) string {
	var b strings.Builder
	before := ""
	for _, s := range samples {
		if s.Name != before {
			kind := "counter"
			if s.Gauge {
				kind = "gauge"
			}
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", s.Name, s.Help, s.Name, kind)
			before = s.Name
		}
		b.WriteString(s.Name + labels(s.Label) + " " + strconv.FormatFloat(s.Value, 'g', -1, 64) + "\n")
	}
	return b.String()
}

// labels are one at most here, so that there is no order to keep.
func labels(label map[string]string) string {
	for name, value := range label {
		return "{" + name + "=" + strconv.Quote(value) + "}"
	}
	return ""
}
