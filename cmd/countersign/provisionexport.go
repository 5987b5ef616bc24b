package main

import (
	"fmt"
	"io"

	"github.com/countersign-dev/countersign/cmd/countersign/provision"
)

// runExport writes infrastructure code. It needs no credentials: it is made of the file alone.
func (o *provisionOptions) runExport(stdout io.Writer) error {
	if o.local || o.plan || o.yes || o.prune {
		return fmt.Errorf("--export goes with neither --local, --plan, --yes nor --prune")
	}
	cfg, err := o.load()
	if err != nil {
		return err
	}
	want, err := provision.NewWant(cfg, cfg.Pool.Region, false)
	if err != nil {
		return err
	}
	text, err := provision.Export(want, o.export)
	if err != nil {
		return err
	}
	_, err = stdout.Write(text)
	return err
}
