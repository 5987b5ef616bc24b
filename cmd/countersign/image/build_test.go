package image_test

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/image"
)

var quiet = log.New(io.Discard, "", 0)

func TestTwoBuildsInTwoDirectoriesAreTheSameBytes(t *testing.T) {
	goAlone(t)
	first := build(t, image.Config{Package: "./cmd/orders", Dir: source(t, program)})
	t.Setenv("GOAMD64", "v3") // what the user's environment says does not reach the image
	t.Setenv("CGO_ENABLED", "1")
	second := build(t, image.Config{Package: "example.com/shop/cmd/orders", Dir: source(t, program), Platforms: []string{"linux/arm64", "linux/amd64", "linux/arm64"}})
	if first.Digest != second.Digest {
		t.Errorf("%s and %s", first.Digest, second.Digest)
	}
	for i := range first.Platforms {
		if first.Platforms[i] != second.Platforms[i] {
			t.Errorf("%+v and %+v", first.Platforms[i], second.Platforms[i])
		}
	}
	other := build(t, image.Config{Package: "./cmd/orders", Dir: source(t, strings.Replace(program, "up", "down", 1))})
	if other.Digest == first.Digest {
		t.Errorf("another program has the same digest %s", other.Digest)
	}
	if tag := first.Tag(); tag != "content-"+first.Digest[7:19] {
		t.Errorf("the tag of a source without a version is %q", tag)
	}
}

func TestBuildRefuses(t *testing.T) {
	goAlone(t)
	for _, test := range []struct {
		name, pkg, text string
		platforms       []string
		want            string
	}{
		{"a library", "./stock", program, nil, "image: ./stock is package stock, a library; name the directory of a main package"},
		{"two packages", "./...", program, nil, "image: ./... names several packages; an image holds one program"},
		{"no such directory", "./cmd/nothing", program, nil, "image: ./cmd/nothing: "},
		{"a flag for a package", "-toolexec=false", program, nil, "image: "},
		{"unknown platform", "./cmd/orders", program, []string{"linux/z80"}, `image: platform "linux/z80": there are linux/amd64, linux/arm/v7, linux/arm64`},
		{"does not compile", "./cmd/orders", "package main\n\nfunc main() { nothing() }\n", []string{"linux/amd64"}, "image: linux/amd64: go build: exit status 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := image.Build(t.Context(), image.Config{Package: test.pkg, Dir: source(t, test.text), Platforms: test.platforms})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestBuildSaysThatGoIsNotThere(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := image.Build(t.Context(), image.Config{Package: "./cmd/orders", Dir: source(t, program)})
	if err == nil || !strings.Contains(err.Error(), "the go command is not on PATH") {
		t.Errorf("got %v", err)
	}
}

func TestSourceDateEpoch(t *testing.T) {
	goAlone(t)
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	_, err := image.Build(t.Context(), image.Config{Package: "./cmd/orders", Dir: source(t, program), Platforms: []string{"linux/" + runtime.GOARCH}})
	if err == nil || !strings.Contains(err.Error(), `SOURCE_DATE_EPOCH="yesterday" is not a number of seconds`) {
		t.Errorf("got %v", err)
	}
}

func TestWriteLayoutKeepsWhatIsNotALayout(t *testing.T) {
	built := orders(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := built.WriteLayout(dir, "v1"); err == nil || !strings.Contains(err.Error(), "is no OCI layout") {
		t.Errorf("got %v", err)
	}
}

// The go command says only that there are no files, which the person who looks at them does not believe.
func TestBuildSaysThatItIsWithoutCgo(t *testing.T) {
	goAlone(t)
	dir := source(t, "package main\n\nimport \"C\"\n\nfunc main() {}\n")
	_, err := image.Build(t.Context(), image.Config{Dir: dir, Package: "./cmd/orders", Platforms: []string{"linux/amd64"}})
	wantError(t, err, "an image is built without cgo, for it has no C library")
}
