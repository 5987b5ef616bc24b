//go:build unix

package issuer_test

import (
	"os"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

func TestOpenStateThatOthersMayWriteTo(t *testing.T) {
	dir, _ := newState(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := issuer.OpenState(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "others may write to the state directory") || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("got %v", err)
	}
}
