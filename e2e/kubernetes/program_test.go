package kubernetes_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root       = "../.."
	testdata   = root + "/cmd/countersign/manifests/testdata"
	repository = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/orders"
	image      = repository + "@sha256:3b1f0a6b9d6c2c7f4a5e8d9c0b1a2f3e4d5c6b7a8990817263544536271809fa"
)

// program is the built program, as a user has it.
var program string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "countersign")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "countersign")
	build := exec.Command("go", "build", "-o", program, "./cmd/countersign")
	build.Dir = root
	// The program's module is in the workspace; this one is not.
	build.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// run types a command of the program and returns its standard output.
func run(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("countersign %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// variants are the files whose objects are held to everything here.
func variants(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(testdata + "/*.good.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d variants, %v", len(files), err)
	}
	return files
}

// each runs a test for each variant with the objects that it leads to.
func each(t *testing.T, test func(t *testing.T, objects []object)) {
	t.Helper()
	for _, file := range variants(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".good.yaml"), func(t *testing.T) {
			test(t, manifests(t, file, image))
		})
	}
}

func manifests(t *testing.T, file, image string) []object {
	t.Helper()
	return split(t, run(t, "manifests", "--file", file, "--image", image))
}
