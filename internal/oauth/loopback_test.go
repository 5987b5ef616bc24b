package oauth

import "testing"

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.evil.test": false, "127.0.0.1.evil.test": false, "127.1": false, "0.0.0.0": false, "10.0.0.1": false,
		"::": false, "::ffff:10.0.0.1": false, "[::1]": false, "localhost:80": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %t, want %t", host, got, want)
		}
	}
}
