package scaffold

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Write does what was planned and says each thing that it did. A file that came into being since the plan was made is an error,
// and stays as it is.
func (p *Plan) Write(ctx context.Context, w io.Writer) error {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return fmt.Errorf("scaffold: %w", err)
	}
	if err := p.writeModule(ctx, w); err != nil {
		return err
	}
	// Nothing beneath a root leads out of it: a directory that is a symbolic link to another place is not written through.
	root, err := os.OpenRoot(p.Dir)
	if err != nil {
		return fmt.Errorf("scaffold: %w", err)
	}
	defer root.Close()
	for _, f := range p.files {
		if err := writeFile(root, f); err != nil {
			return fmt.Errorf("scaffold: %w", err)
		}
		fmt.Fprintf(w, "wrote %s\n", f.name)
	}
	if p.api != nil {
		if err := p.writePolicy(ctx, w); err != nil {
			return err
		}
		if err := p.writeConfig(root, w); err != nil {
			return err
		}
	}
	p.say(w)
	return nil
}

// Incomplete reports whether lines have to be added first: Write prints them, and writes nothing.
func (p *Plan) Incomplete() bool { return len(p.files) == 0 && p.api == nil }

func (p *Plan) writeModule(ctx context.Context, w io.Writer) error {
	if p.module.init {
		if _, err := goTool(ctx, p.Dir, nil, "mod", "init", p.module.path); err != nil {
			return err
		}
		// go mod init asks for this machine's release; the service needs no newer one than its library.
		if _, err := goTool(ctx, p.Dir, nil, "mod", "edit", "-go="+minimumGo); err != nil {
			return err
		}
		fmt.Fprintln(w, "wrote go.mod")
	}
	if len(p.module.edit) > 0 {
		if _, err := goTool(ctx, p.Dir, nil, append([]string{"mod", "edit"}, p.module.edit...)...); err != nil {
			return err
		}
		fmt.Fprintf(w, "ran   go mod edit %s\n", strings.Join(p.module.edit, " "))
	}
	return nil
}

// writeFile makes a new file, and its directories.
func writeFile(root *os.Root, f file) error {
	name := filepath.FromSlash(f.name)
	if err := root.MkdirAll(filepath.FromSlash(path.Dir(f.name)), 0o755); err != nil {
		return err
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(f.content)
	return errors.Join(err, out.Close())
}

// writePolicy lets the test of the routes that are there write their policy: only the program knows it.
func (p *Plan) writePolicy(ctx context.Context, w io.Writer) error {
	if _, err := os.Lstat(filepath.Join(p.Dir, filepath.FromSlash(policyFile))); err == nil {
		return nil // it is the reviewed one
	}
	const command = "test -run ^TestPolicy$ ."
	if _, err := goTool(ctx, p.Dir, []string{"COUNTERSIGN_UPDATE=1"}, strings.Fields(command)...); err != nil {
		return fmt.Errorf("%w\nscaffold: %s was not written; fix this, and then: COUNTERSIGN_UPDATE=1 go %s", err, policyFile, command)
	}
	fmt.Fprintf(w, "wrote %s\n", policyFile)
	return nil
}

// writeConfig writes countersign.yaml for the routes that are there, which are known by their policy now.
func (p *Plan) writeConfig(root *os.Root, w io.Writer) error {
	document, err := root.ReadFile(filepath.FromSlash(policyFile))
	if err != nil {
		return fmt.Errorf("scaffold: %w", err)
	}
	f, err := p.configFile(document)
	if err != nil || f.name == "" {
		return err
	}
	if err := writeFile(root, f); err != nil {
		return fmt.Errorf("scaffold: %w", err)
	}
	fmt.Fprintf(w, "wrote %s\n", f.name)
	return nil
}

// say ends with what the user does next.
func (p *Plan) say(w io.Writer) {
	if p.module.work != "" && p.module.work != "off" {
		p.notes = append(p.notes, "a go.work is in force here; if the module is not in it:\n\tgo work use "+p.Dir)
	}
	for _, note := range p.notes {
		fmt.Fprintf(w, "\n%s\n", strings.TrimRight(note, "\n"))
	}
	if len(p.files) == 0 {
		return
	}
	fmt.Fprintf(w, "\nnext:\n\tgo test ./...\n\tgit add -A && git commit\n\tcountersign diff --file %s HEAD    # after each change\n\tcountersign dev    # run and prove it on this machine\n", policyFile)
}
