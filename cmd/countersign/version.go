package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, and of what it was built",
		Long: `Prints the version, the commit that it was built from, and the Go release and platform that it was built with. go run and go test
leave the commit out; go build and go install write it into the program.

Exit codes: 0 printed, 2 bad usage.`,
		Example: `  countersign version
  countersign version --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output, textOrJSON...); err != nil {
				return err
			}
			return readBuild().print(cmd.OutOrStdout(), output)
		},
	}
	addOutput(cmd, &output, textOrJSON...)
	return cmd
}

// build is what the Go toolchain wrote into the program.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`     // of the commit
	Modified bool   `json:"modified,omitempty"` // whether the working tree had more than the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

func (b build) print(w io.Writer, form string) error {
	if form == "json" {
		text, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", text)
		return err
	}
	lines := []string{"countersign " + b.Version}
	if b.Commit != "" {
		commit := "commit   " + b.Commit + ", " + b.Time
		if b.Modified {
			commit += ", with changes"
		}
		lines = append(lines, commit)
	}
	lines = append(lines, "built    "+b.Go+" "+b.Platform)
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
