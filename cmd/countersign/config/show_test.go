package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

func TestTheEffectiveFile(t *testing.T) {
	c, err := config.Load("testdata/orders.good.yaml", "prod")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/orders.prod.effective"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != string(got) {
		t.Errorf("got\n%s\nwant\n%s%v", got, want, err)
	}
	text, err := c.JSON()
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), `"accessTokenValidity": "15m"`) {
		t.Errorf("got %s, %v", text, err)
	}
}

// holdEffective shows an effective file, reads what was shown, and compares the two.
func holdEffective(t *testing.T, c *config.Config) {
	t.Helper()
	first, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file, err := config.Parse(c.Path, first)
	if err != nil {
		t.Fatalf("shown and cannot be read: %v\n%s", err, first)
	}
	again, err := file.Config("")
	if err != nil {
		t.Fatalf("shown and refused: %v\n%s", err, first)
	}
	if second, err := again.YAML(); err != nil || string(second) != string(first) {
		t.Fatalf("%v\n%s\n%s", err, first, second)
	}
}

func TestWhatIsShownIsReadAsTheSame(t *testing.T) {
	for _, path := range append(files(t, "*.good.*"), "../../../examples/demo/countersign.yaml") {
		file, err := config.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range file.Environments() {
			c, err := file.Config(name)
			if err != nil {
				t.Fatal(err)
			}
			holdEffective(t, c)
		}
	}
}

func TestProblemStandsAtTheMember(t *testing.T) {
	c, err := config.Load("testdata/orders.good.yaml", "prod")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"clients[0].secret.kubernetes":   "testdata/orders.good.yaml:27:30: environments.prod.clients[0].secret.kubernetes: x",
		"image.repository":               "testdata/orders.good.yaml:1:1: image.repository: x",
		"ingress.certificate":            "testdata/orders.good.yaml:19:3: ingress.certificate: x",
		"clients[1].accessTokenValidity": "testdata/orders.good.yaml:14:26: clients[1].accessTokenValidity: x",
	} {
		if got := c.Problem(path, "x").Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// FuzzLoad holds the loader to what it says: it does not fall over, its errors stand on one line each, and what it accepts it shows in a
// form that it reads as the same.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"*.good.*", "*.bad.yaml"} {
		for _, path := range files(f, pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	dir := filepath.Join(f.TempDir(), "countersign.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := config.Parse(dir, data)
		if err != nil {
			return
		}
		for _, name := range append(file.Environments(), "") {
			c, err := file.Config(name)
			for _, problem := range config.AsProblems(err) {
				if strings.ContainsAny(problem.Error(), "\n\x1b") || problem.Text == "" {
					t.Fatalf("%q", problem.Error())
				}
			}
			if err == nil {
				holdEffective(t, c)
			}
		}
	})
}
