package cluster_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countersign-dev/countersign/cmd/countersign/cluster"
	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// today is a day within the standard support of 1.35.
var today = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got, _, err := cluster.Render(load(t, file), cluster.Options{Now: today})
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".good.yaml") + ".golden.yaml"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; write it with: go test ./cmd/countersign/cluster -update", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s leads to another cluster than %s; look at the difference after: go test ./cmd/countersign/cluster -update", file, golden)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		name, version, day string
		extended           bool
		note, err          string // a part of it; "" for none at all
	}{
		{"in standard support", "1.35", "2026-11-01", false, "", ""},
		{"on the last day of standard support", "1.35", "2027-03-27", false, "ends on 2027-03-27", ""},
		{"two months before its end", "1.35", "2027-01-27", false, "ends on 2027-03-27", ""},
		{"earlier than that", "1.35", "2027-01-26", false, "", ""},
		{"in extended support", "1.35", "2027-03-28", false, "", "in extended support since 2027-03-27"},
		{"in extended support, and accepted", "1.35", "2027-03-28", true, "until 2028-03-27", ""},
		{"out of support", "1.35", "2028-03-28", true, "", "1.35 is a Kubernetes version whose support Amazon EKS ended on 2028-03-27"},
		{"the seed's version", "1.20", "2026-11-01", true, "", "1.20 is a Kubernetes version that Amazon EKS supports no longer; write one of 1.36, 1.35, 1.34, 1.33, 1.32, 1.31"},
		{"without extended support fewer are left", "1.20", "2026-11-01", false, "", "write one of 1.36, 1.35, 1.34"},
		{"newer than the calendar", "1.37", "2026-11-01", false, "newer than the calendar", ""},
		{"after the calendar's end", "1.36", "2030-01-01", true, "", "the calendar of " + cluster.CalendarDate},
	} {
		t.Run(test.name, func(t *testing.T) {
			day, err := time.Parse(time.DateOnly, test.day)
			if err != nil {
				t.Fatal(err)
			}
			cfg := load(t, "testdata/full.good.yaml")
			cfg.Cluster.Version, cfg.Cluster.Admins = test.version, nil
			_, notes, err := cluster.Render(cfg, cluster.Options{Now: day, ExtendedSupport: test.extended})
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want one with %q", err, test.err)
			}
			if note := strings.Join(notes, "\n"); (note == "") != (test.note == "") || !strings.Contains(note, test.note) {
				t.Errorf("notes %q, want %q", note, test.note)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(*config.Config)
		options cluster.Options
		want    string
	}{
		{"no cluster", func(c *config.Config) { c.Cluster.Name = "" }, cluster.Options{}, "cluster.name: is missing"},
		{"load balancer outside the VPC", func(c *config.Config) { c.Ingress.VPCCIDR = "10.0.0.0/8" }, cluster.Options{}, "ingress.vpcCIDR: 10.0.0.0/8 is not in the network of the cluster's VPC, 10.20.0.0/16"},
		{"key of another region", func(*config.Config) {}, cluster.Options{SecretsKey: "arn:aws:kms:us-east-1:111122223333:key/0a1b"}, "is no ARN of a KMS key in eu-west-1"},
		{"alias for a key", func(*config.Config) {}, cluster.Options{SecretsKey: "alias/mine"}, "--secrets-key alias/mine is no ARN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := load(t, "testdata/full.good.yaml")
			test.change(cfg)
			test.options.Now = today
			if _, _, err := cluster.Render(cfg, test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	for file, want := range map[string]string{
		"testdata/minimal.good.yaml":  "only the VPC reaches the Kubernetes API",
		"testdata/external.good.yaml": "the whole world reaches the Kubernetes API",
		"testdata/full.good.yaml":     "create the cluster as one of cluster.admins",
	} {
		_, notes, err := cluster.Render(load(t, file), cluster.Options{Now: today})
		if err != nil || !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("%s: notes %q, %v; want %q", file, notes, err, want)
		}
	}
}

// TestAccountOfTheSecrets: the registry may be another account's; the secrets are beside the pool.
func TestAccountOfTheSecrets(t *testing.T) {
	cfg := load(t, "testdata/full.good.yaml")
	cfg.Pool.Account = "210987654321"
	text, _, err := cluster.Render(cfg, cluster.Options{Now: today, Associations: true})
	if err != nil || !strings.Contains(string(text), ":secretsmanager:eu-west-1:210987654321:secret:") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestOptionsReachTheFile(t *testing.T) {
	key := "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d"
	text, _, err := cluster.Render(load(t, "testdata/full.good.yaml"), cluster.Options{Now: today, SecretsKey: key, ExtendedSupport: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"secretsEncryption:\n  keyARN: " + key + "\n", "supportType: EXTENDED\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the file lacks %q", want)
		}
	}
}

func load(t *testing.T, file string) *config.Config {
	t.Helper()
	cfg, err := config.Load(file, "")
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
