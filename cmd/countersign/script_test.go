package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"countersign": main, "kubectl": kubectlMain, "eksctl": eksctlMain})
}

// TestScripts types each story of testdata/script as a user would.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                storyCommands,
		Setup: func(env *testscript.Env) error {
			// A state directory that is not the user's.
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/home")
			return addTools(env)
		},
	})
}
