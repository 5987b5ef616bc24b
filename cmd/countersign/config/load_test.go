package config_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

var update = flag.Bool("update", false, "write what the tests compare with")

func files(t testing.TB, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(all) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	return all
}

// check is all that is said of a file.
func check(path string) error {
	file, err := config.Read(path)
	if err != nil {
		return err
	}
	return file.Check()
}

func TestGoodFiles(t *testing.T) {
	for _, path := range files(t, "*.good.*") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if err := check(path); err != nil {
				t.Error(err)
			}
		})
	}
}

// Each bad file begins with the errors that it leads to, a line each, as comments; the errors have its name without the directory.
func TestBadFiles(t *testing.T) {
	for _, path := range files(t, "*.bad.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			rest := string(data)
			for strings.HasPrefix(rest, "# ") {
				line, after, _ := strings.Cut(rest, "\n")
				want, rest = append(want, strings.TrimPrefix(line, "# ")), after
			}
			err = check(path)
			if err == nil {
				t.Fatal("nothing is wrong with it")
			}
			got := strings.ReplaceAll(err.Error(), path, filepath.Base(path))
			if *update && got != strings.Join(want, "\n") {
				rewrite(t, path, rest, len(want))
				return
			}
			if got != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		})
	}
}

// rewrite puts the errors of the file before it, and their lines are those after that.
func rewrite(t *testing.T, path, rest string, lines int) {
	t.Helper()
	for range 3 { // the number of errors is the number of lines before what they are about
		if err := os.WriteFile(path, []byte(strings.Repeat("# \n", lines)+rest), 0o644); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(check(path).Error(), path, filepath.Base(path))
		if n := strings.Count(got, "\n") + 1; n != lines {
			lines = n
			continue
		}
		if err := os.WriteFile(path, []byte("# "+strings.ReplaceAll(got, "\n", "\n# ")+"\n"+rest), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := config.Load("testdata/small.good.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		member    string
		got, want any
	}{
		{"service.main", c.Service.Main, "."},
		{"service.port", c.Service.Port, 8080},
		{"pool.name", c.Pool.Name, "orders"},
		{"pool.domain", c.Pool.Domain, "orders"},
		{"pool.deletionProtection", *c.Pool.DeletionProtection, true},
		{"resource.scopes[0].description", c.Resource.Scopes[0].Description, "orders.read"},
		{"clients[0].accessTokenValidity", c.Clients[0].AccessTokenValidity, time.Hour},
		{"image.platforms", strings.Join(c.Image.Platforms, " "), "linux/amd64 linux/arm64"},
		{"kubernetes.namespace", c.Kubernetes.Namespace, "orders"},
		{"kubernetes.replicas", c.Kubernetes.Replicas, config.Replicas{Min: 2, Max: 6}},
		{"kubernetes.egress", strings.Join(c.Kubernetes.Egress, " "), "0.0.0.0/0 ::/0"},
		{"ingress.vpcCIDR", c.Ingress.VPCCIDR, "192.168.0.0/16"},
		{"ingress.paths", strings.Join(c.Ingress.Paths, " "), "/"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.member, tt.got, tt.want)
		}
	}
}

func TestMainIsTheCommandOfTheService(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cmd", "orders"), 0o755); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/small.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "countersign.yaml")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, "")
	if err != nil || c.Service.Main != "./cmd/orders" || c.Resolve(c.Service.Main) != filepath.Join(dir, "cmd/orders") {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestEnvironmentsAreLaidOverTheFile(t *testing.T) {
	c, err := config.Load("testdata/orders.good.yaml", "prod")
	if err != nil {
		t.Fatal(err)
	}
	if c.Environment != "prod" || c.Ingress.Host != "orders.example.com" || strings.Join(c.Ingress.CIDRs, " ") != "203.0.113.0/24" {
		t.Errorf("mappings merge: %+v", c.Ingress)
	}
	if len(c.Clients) != 2 || c.Clients[0].Secret != (config.SecretPlace{Kubernetes: "reader"}) || c.Clients[0].Scopes[0] != "orders.read" {
		t.Errorf("clients merge by name: %+v", c.Clients)
	}
	if len(c.Kubernetes.Env) != 1 || c.Kubernetes.Env["MODE"] != "prod" {
		t.Errorf("null takes away: %v", c.Kubernetes.Env)
	}
	if c.Kubernetes.Replicas != (config.Replicas{Min: 3, Max: 3}) {
		t.Errorf("replicas: %+v", c.Kubernetes.Replicas)
	}
	base, err := config.Load("testdata/orders.good.yaml", "")
	if err != nil || base.Kubernetes.Env["LOG_LEVEL"] != "info" || base.Clients[0].Secret.Kubernetes != "" {
		t.Errorf("an overlay changed the file itself: %+v, %v", base, err)
	}
}

func TestLoadSaysWhatItCannotRead(t *testing.T) {
	_, err := config.Load("testdata/orders.good.yaml", "prud")
	if err == nil || err.Error() != `testdata/orders.good.yaml has no environment "prud"; write prod` {
		t.Errorf("got %v", err)
	}
	_, err = config.Load("testdata/small.good.yaml", "prod")
	if err == nil || !strings.Contains(err.Error(), "it has none at all: leave --env out") {
		t.Errorf("got %v", err)
	}
	_, err = config.Load("testdata/absent.yaml", "")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "countersign init") {
		t.Errorf("got %v", err)
	}
	if _, err = config.Load("testdata", ""); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#", 1<<20+1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = config.Load(large, ""); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("got %v", err)
	}
}

// An environment is asked for where the file alone is not whole.
func TestMissingMembersMayBeInAnEnvironment(t *testing.T) {
	_, err := config.Load("testdata/split.good.yaml", "")
	if err == nil || !strings.HasSuffix(err.Error(), "choose an environment with --env, if what is missing stands there: dev, prod") {
		t.Errorf("got %v", err)
	}
}

func TestAliasesAreBounded(t *testing.T) {
	text := "service: {name: orders}\nclients:\n  - &a {name: a, scopes: &s [" + strings.Repeat("x, ", 2000) + "]}\n" + strings.Repeat("  - *a\n", 2000)
	_, err := config.Parse("a.yaml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "unfold to more than 100000 values") {
		t.Errorf("got %v", err)
	}
}

func TestManyMistakesAreCut(t *testing.T) {
	_, err := config.Parse("a.yaml", []byte("a: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i := range 5000 {
		text.WriteString(strings.Repeat("x", i/100+3) + strings.Repeat("y", i%100+1) + ": 1\n")
	}
	file, err := config.Parse("a.yaml", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if problems := config.AsProblems(file.Check()); len(problems) != 101 || !strings.HasSuffix(problems[100].Text, "more") {
		t.Errorf("%d problems", len(problems))
	}
}

// A file of nothing but lists is read in a moment: nothing is compared with everything.
func TestLongListsAreNotComparedWithEachOther(t *testing.T) {
	text := &strings.Builder{}
	text.WriteString("service: {name: a}\npool: {region: eu-west-1}\nresource: {identifier: https://a.example.com, scopes: [")
	for i := range 9000 {
		fmt.Fprintf(text, "{name: scope.number%d},", i)
	}
	text.WriteString("]}\nclients: [")
	for i := range 9000 {
		fmt.Fprintf(text, "{name: client%d, scopes: [scope.numbr%d]},", i, i)
	}
	text.WriteString("]\nkubernetes: {uses: [")
	for i := range 9000 {
		fmt.Fprintf(text, "clnt%d,", i)
	}
	text.WriteString("]}\n")
	file, err := config.Parse("a.yaml", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Check(); err == nil || !strings.Contains(err.Error(), "has 9000 items; 1000 is the most") {
		t.Errorf("got %.300v", err)
	}
}
