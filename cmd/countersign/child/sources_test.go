package child_test

import (
	"path/filepath"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/child"
)

func TestSources(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "web", "web.go"), "package web\n\nimport \"embed\"\n\n"+
		"//go:embed static templates/*.html \"with space.txt\" `raw.txt`\nvar files embed.FS\n\nvar (\n\t//go:embed all:dist\n\tdist embed.FS\n)\n//go:embedded no\n// go:embed spaced.txt\n")
	write(t, filepath.Join(dir, "web", "web_test.go"), "package web\n\n//go:embed only_tested.txt\nvar x string\n")
	s := child.NewSources(dir)
	check := func(name string, want bool) {
		t.Helper()
		if got := s.Has(filepath.Join(dir, filepath.FromSlash(name))); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, want := range map[string]bool{
		"api.go": true, "internal/store.go": true, "go.mod": true, "go.sum": true, "go.work": true,
		"api_test.go": false, ".#api.go": false, "api.go~": false, "README.md": false, "app.db": false,
		"web/static": true, "web/static/site.css": true, "web/static/img/logo.svg": true,
		"web/static/.hidden": false, "web/static/_draft/x.css": false, "web/statics/site.css": false,
		"web/templates/index.html": true, "web/templates/index.css": false, "web/templates/part/x.html": false, "templates/index.html": false,
		"web/with space.txt": true, "web/raw.txt": true, "web/dist/.well-known/x": true, "web/dist/_app/y.js": true,
		"web/spaced.txt": false, "web/only_tested.txt": false, "web/no": false, "../elsewhere/static/site.css": false,
	} {
		check(name, want)
	}
	// What is embedded is another thing after a Go file has changed.
	check("web/schema.sql", false)
	write(t, filepath.Join(dir, "web", "web.go"), "package web\n\nimport _ \"embed\"\n\n//go:embed schema.sql\nvar schema string\n")
	check("web/web.go", true)
	check("web/schema.sql", true)
	check("web/static/site.css", false)
}
