package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// A chapter is a part of the list of commands.
type chapter struct {
	title    string
	commands []string
}

// chapters are the commands in the order in which a team comes to need them.
var chapters = []chapter{
	{"Begin", []string{"init", "dev", "env", "token"}},
	{"Prove", []string{"prove", "explain", "mutate", "diff", "drill"}},
	{"Ship", []string{"config", "provision", "rotate", "image", "manifests", "cluster", "apigateway", "deploy", "destroy"}},
	{"Run", []string{"issuer", "pool", "cost", "agent", "tokenproxy"}},
	{"This program", []string{"completion", "help", "version"}},
}

// The widths of help, in columns: of what is no terminal, and of a terminal that is wider than people like to read.
const (
	plainWidth = 80
	maxWidth   = 100
	minWidth   = 40
)

// setHelp makes the help of every command as wide as its reader's terminal, and the list of commands one that can be read.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		w := cmd.OutOrStdout()
		about := cmd.Long
		if about == "" {
			about = cmd.Short
		}
		fmt.Fprintf(w, "%s\n\n", fill(strings.TrimSpace(about), widthOf(w)))
		writeUsage(w, cmd)
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		writeUsage(cmd.OutOrStderr(), cmd)
		return nil
	})
}

func widthOf(w io.Writer) int {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return max(minWidth, min(columns, maxWidth))
		}
	}
	return plainWidth
}

func writeUsage(w io.Writer, cmd *cobra.Command) {
	width := widthOf(w)
	fmt.Fprint(w, "Usage:\n")
	if cmd.Runnable() && (!cmd.HasAvailableSubCommands() || hasOwnFlags(cmd)) {
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s COMMAND\n", cmd.CommandPath())
		writeCommands(w, cmd, width)
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s\n", strings.TrimRight(flags.FlagUsagesWrapped(width), " \n"))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nMore about a command: %s COMMAND --help\n", cmd.CommandPath())
	}
}

// hasOwnFlags says whether a command of commands does something itself.
func hasOwnFlags(cmd *cobra.Command) bool {
	own := false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { own = own || f.Name != "help" && f.Name != "version" })
	return own
}

func writeCommands(w io.Writer, cmd *cobra.Command, width int) {
	rest := slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() && c.Name() != "help" })
	if cmd.HasParent() {
		writeChapter(w, "Commands", rest, width)
		return
	}
	for _, chapter := range chapters {
		var commands []*cobra.Command
		for _, name := range chapter.commands {
			if i := slices.IndexFunc(rest, func(c *cobra.Command) bool { return c.Name() == name }); i >= 0 {
				commands = append(commands, rest[i])
				rest = slices.Delete(rest, i, i+1)
			}
		}
		writeChapter(w, chapter.title, commands, width)
	}
	writeChapter(w, "More", rest, width)
}

func writeChapter(w io.Writer, title string, commands []*cobra.Command, width int) {
	if len(commands) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	names := 0
	for _, c := range commands[0].Parent().Commands() {
		names = max(names, len(c.Name()))
	}
	for _, c := range commands {
		about := strings.ReplaceAll(fill(c.Short, width-names-5), "\n", "\n"+strings.Repeat(" ", names+5))
		fmt.Fprintf(w, "  %-*s   %s\n", names, c.Name(), about)
	}
}

// fill breaks the paragraphs of a text anew, so that no line is longer than width. A line that is set in, or a heading, stays as it is.
func fill(text string, width int) string {
	var out []string
	column := 0 // where the last line ends; 0 lets the next word begin one
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.ContainsAny(line[:1], " \t#") {
			out, column = append(out, line), 0
			continue
		}
		for _, word := range strings.Fields(line) {
			length := utf8.RuneCountInString(word)
			if column == 0 || column+1+length > width {
				out, column = append(out, word), length
				continue
			}
			out[len(out)-1] += " " + word
			column += 1 + length
		}
	}
	return strings.Join(out, "\n")
}
