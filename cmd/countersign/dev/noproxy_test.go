package dev_test

import (
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

func TestRequestsToThisMachineAskNoProxy(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string // of both variables; empty is none
	}{
		{"no proxy", map[string]string{"no_proxy": "example.com"}, ""},
		{"a proxy", map[string]string{"http_proxy": "http://proxy:3128"}, "localhost,127.0.0.1,::1"},
		{"a proxy for TLS only", map[string]string{"HTTPS_PROXY": "http://proxy:3128"}, "localhost,127.0.0.1,::1"},
		{"what is excepted stays so", map[string]string{"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "internal.example, 127.0.0.1", "no_proxy": "other.example"},
			"other.example,internal.example,127.0.0.1,localhost,::1"},
		{"all is excepted", map[string]string{"ALL_PROXY": "socks5://proxy:1080", "NO_PROXY": "*"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := dev.NoProxy(func(name string) string { return tt.env[name] })
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("got %q", got)
				}
				return
			}
			if len(got) != 2 || got[0] != [2]string{"NO_PROXY", tt.want} || got[1] != [2]string{"no_proxy", tt.want} {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
