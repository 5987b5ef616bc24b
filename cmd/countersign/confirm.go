package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// confirm asks a question on the terminal. Without one there is nobody to ask: it says so, and names the flag that answers.
func confirm(in io.Reader, stderr io.Writer, question string) bool {
	if file, ok := in.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		fmt.Fprintf(stderr, "countersign: nothing was done: standard input is no terminal to ask at; --yes goes ahead without asking\n")
		return false
	}
	fmt.Fprintf(stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(io.LimitReader(in, 1024)).ReadString('\n')
	if err != nil {
		fmt.Fprintln(stderr)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true
	}
	fmt.Fprintln(stderr, "nothing was done")
	return false
}
