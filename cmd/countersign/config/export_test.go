package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Table is the table of docs/config.md: one row for each member, of its tags.
func Table() string {
	var out strings.Builder
	out.WriteString("| member | what it is | default |\n|---|---|---|\n")
	rows(&out, root(), "")
	return strings.NewReplacer("<", "&lt;", "|  |", "| |").Replace(out.String()) // what is in angle brackets would be HTML
}

func rows(out *strings.Builder, s *shape, prefix string) {
	for _, m := range s.members {
		path := prefix + m.key
		switch {
		case m.kind == kindObject:
			rows(out, m, path+".")
			continue
		case m.kind == kindList && m.element.kind == kindObject:
			fmt.Fprintf(out, "| `%s` | %s | |\n", path, m.doc)
			rows(out, m.element, path+"[].")
			continue
		}
		fallback := m.fallback
		switch {
		case m.required:
			fallback = "required"
		case m.computed() || m.refers():
		case fallback != "":
			fallback = "`" + fallback + "`"
		}
		doc := m.doc
		if m.enum != nil {
			doc += ": `" + strings.Join(m.enum, "`, `") + "`"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", path, doc, fallback)
	}
}

// TagProblems are the tags of the struct that say what the loader does not do.
func TagProblems() []string { return tagProblems(root()) }

func tagProblems(s *shape) []string {
	var all []string
	for _, m := range s.members {
		problem := func(format string, args ...any) { all = append(all, m.path+": "+fmt.Sprintf(format, args...)) }
		if m.doc == "" {
			problem("no doc")
		}
		for _, bound := range []string{m.min, m.max} {
			if _, err := time.ParseDuration(bound); m.kind == kindDuration && bound != "" && err != nil {
				problem("%v", err)
			} else if _, isNumber := number(bound); m.kind != kindDuration && bound != "" && !isNumber {
				problem("the bound %q is no number", bound)
			}
		}
		if m.required && m.fallback != "" {
			problem("required, and has a default")
		}
		if _, isNumber := number(m.fallback); m.kind == kindNumber && m.fallback != "" && !isNumber && !m.computed() {
			problem("the default %q is no number", m.fallback)
		}
		if m.kind == kindText && m.fallback != "" && !m.refers() && !m.computed() && m.format != nil {
			if text := m.format.problem(m.fallback); text != "" {
				problem("the default: %s", text)
			}
		}
		if m.kind == kindText && m.enum != nil && m.fallback != "" && !slices.Contains(m.enum, m.fallback) {
			problem("the default is none of the words")
		}
		if m.kind == kindList && m.element.kind == kindObject {
			all = append(all, tagProblems(m.element)...)
		}
		all = append(all, tagProblems(m)...)
	}
	return all
}
