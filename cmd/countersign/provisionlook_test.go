package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// TestProvisionLooksAgain: while one person reads the plan, another one says yes to the same.
func TestProvisionLooksAgain(t *testing.T) {
	s := newCutSystem(t, cutFile)
	s.proxy.Arm("", 0)
	var o provisionOptions
	o.targetFlags.add(&cobra.Command{})
	o.file = filepath.Join(s.dir, "countersign.yaml")
	target, err := o.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have, err := provision.Read(t.Context(), target.Target, target.want, target.places)
	if err != nil {
		t.Fatal(err)
	}
	plan := provision.NewPlan(target.want, have, target.places, false)
	if _, err := o.lookAgain(t.Context(), target, plan); err != nil {
		t.Errorf("nothing has changed: %v", err)
	}
	s.mustRun("provision", "--yes")
	if _, err := o.lookAgain(t.Context(), target, plan); err == nil || !strings.Contains(err.Error(), "somebody else is at work") {
		t.Errorf("another one has made it all: %v", err)
	}
}
