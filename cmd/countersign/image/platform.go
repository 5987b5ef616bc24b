package image

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DefaultPlatforms are built where no others are named: what Amazon EKS nodes run on.
var DefaultPlatforms = []string{"linux/amd64", "linux/arm64"}

// levels are the platforms that can be built, with the variable of the go command that pins the instruction set. A variable
// in the user's environment must not decide what the image holds.
var levels = map[string]string{
	"linux/amd64":   "GOAMD64=v1",
	"linux/arm64":   "GOARM64=v8.0",
	"linux/arm/v7":  "GOARM=7",
	"linux/ppc64le": "GOPPC64=power8",
	"linux/riscv64": "GORISCV64=rva20u64",
	"linux/s390x":   "",
}

// Platforms are the names that [Config.Platforms] may have.
func Platforms() []string {
	var names []string
	for name := range levels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// parsePlatforms checks the names and puts them in one order, so that the order in which they are written changes no digest.
func parsePlatforms(names []string) ([]v1.Platform, error) {
	if len(names) == 0 {
		names = DefaultPlatforms
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var platforms []v1.Platform
	for _, name := range names {
		if _, known := levels[name]; !known {
			return nil, fmt.Errorf("platform %q: there are %s", name, strings.Join(Platforms(), ", "))
		}
		parts := append(strings.Split(name, "/"), "")
		platforms = append(platforms, v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]})
	}
	return platforms, nil
}

// buildEnv is what the go command is told about a platform.
func buildEnv(p v1.Platform) []string {
	env := []string{"CGO_ENABLED=0", "GOOS=" + p.OS, "GOARCH=" + p.Architecture}
	if level := levels[p.String()]; level != "" {
		env = append(env, level)
	}
	return env
}
