package status_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/countersign-dev/countersign/internal/status"
)

func TestWriter(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		want   int
	}{
		"nothing":          {func(http.ResponseWriter) {}, 0},
		"a status":         {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }, http.StatusTeapot},
		"the first counts": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot); w.WriteHeader(http.StatusOK) }, http.StatusTeapot},
		"a body alone":     {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "a") }, http.StatusOK},
	} {
		w := &status.Writer{ResponseWriter: httptest.NewRecorder()}
		tt.answer(w)
		if w.Sent() != tt.want {
			t.Errorf("%s: %d, want %d", name, w.Sent(), tt.want)
		}
	}
	rec := httptest.NewRecorder()
	if w := (&status.Writer{ResponseWriter: rec}); w.Unwrap() != http.ResponseWriter(rec) {
		t.Error("what it wraps is not reached")
	}
}
