package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"countersign": main, "kubectl": kubectlMain, "eksctl": eksctlMain})
}

// TestScripts types each story of testdata/script as a user would.
func TestScripts(t *testing.T) {
	// Under nohup the programs that are started here would ignore a hangup as well. What is caught is not ignored by a child.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangup) }) // the stories run beside each other, after this function
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
