package child_test

import (
	"os"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

// TestRunEnv: the service has what its build has not.
func TestRunEnv(t *testing.T) {
	c, cfg, _ := start(t, "", func(cfg *child.Config) {
		cfg.Env = append(os.Environ(), "ADDR="+cfg.Addr)
		cfg.RunEnv = []string{"CHILD=serve"}
	})
	if err := await(t, c); err != nil {
		t.Fatal(err)
	}
	get(t, cfg.Addr)
}
