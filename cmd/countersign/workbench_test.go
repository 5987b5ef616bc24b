package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// addTools gives a story git and Go as a user has them: no configuration of this machine reaches git, and Go asks no network.
func addTools(env *testscript.Env) error {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	countersign, err := exec.LookPath("countersign")
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"COUNTERSIGN": countersign, "REPOSITORY": repository,
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
		"GOCACHE": strings.TrimSpace(string(out)), "GOFLAGS": "-mod=mod", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local",
	} {
		env.Setenv(name, value)
	}
	return nil
}
