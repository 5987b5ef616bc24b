package issuer_test

import (
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/issuer"
)

func TestDSNsThatSpeakInClear(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for dsn, want := range map[string]bool{
		"postgres://u@db.example.com/d":                                        true, // sslmode=prefer
		"postgres://u@db.example.com/d?sslmode=allow":                          true,
		"postgres://u@db.example.com/d?sslmode=disable":                        true,
		"postgres://u@db.example.com/d?sslmode=require":                        false,
		"postgres://u@db.example.com/d?sslmode=verify-full":                    false,
		"postgres://u@a.example.com,b.example.com/d?sslmode=verify-full":       false,
		"postgres://u@localhost,b.example.com/d":                               true,
		"postgres://u@127.0.0.1/d?sslmode=disable":                             false,
		"postgres://u@localhost/d":                                             false,
		"host=/var/run/postgresql user=u dbname=d":                             false,
		"host=db.example.com user=u dbname=d sslmode=verify-ca":                false,
		"host=db.example.com user=u dbname=d":                                  true,
		"postgres://u@[::1]:5432/d?sslmode=disable":                            false,
		"postgres://u@10.0.0.7/d?sslmode=prefer&target_session_attrs=any":      true,
		"postgres://u@10.0.0.7/d?sslmode=require&target_session_attrs=any":     false,
		"postgres://u@db.example.com/d?sslmode=verify-full&sslrootcert=system": false,
	} {
		if got, err := issuer.InClear(dsn); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", dsn, got, err, want)
		}
	}
}
