// Package program builds the program of this checkout for tests that type it as its users do. Start with [Main] and [Path].
package program

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/countersign-dev/countersign"

// repository is the directory of the checkout.
var repository = sync.OnceValues(func() (string, error) {
	// This module stands outside the workspace and knows the library by its directory.
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	list.Env = append(os.Environ(), "GOWORK=off")
	out, err := list.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("program: find the repository: %w\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
})

// builtIn is the directory of the program, once a test has asked for it.
var builtIn string

// build makes the program, once for all tests of a package.
var build = sync.OnceValues(func() (string, error) {
	from, err := repository()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "countersign-e2e-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	file := filepath.Join(dir, "countersign")
	make := exec.Command("go", "build", "-o", file, "./cmd/countersign")
	make.Dir = from
	make.Env = append(os.Environ(), "GOWORK=") // the program is in the workspace
	if out, err := make.CombinedOutput(); err != nil {
		return "", fmt.Errorf("program: build: %w\n%s", err, out)
	}
	return file, nil
})

// Path returns the file of the program, which the first call builds.
func Path(t testing.TB) string {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// FreePort is a port of the loopback interface at which nobody listens, for a process that must be told one. It is none of those that
// Linux gives to connections (net.ipv4.ip_local_port_range), one of which could have it before the process starts.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 15000 + rand.N(15000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("there is no free port")
	return 0
}

// Main runs the tests of a package and takes the program away again. It is what the package's TestMain calls.
func Main(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
	os.Exit(code)
}
