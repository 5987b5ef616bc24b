package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// envForms are the forms in which variables are printed, the default first.
var envForms = []string{"sh", "fish", "powershell", "dotenv", "json"}

// A variable is one of the environment. One that is empty is to be taken out of it.
type variable struct{ name, value string }

// writeVariables writes them for a shell to evaluate, or for a program to read.
func writeVariables(form string, variables []variable) (string, error) {
	if form == "json" {
		return variablesJSON(variables)
	}
	var out strings.Builder
	for _, v := range variables {
		line, err := variableLine(form, v)
		if err != nil {
			return "", err
		}
		out.WriteString(line + "\n")
	}
	return out.String(), nil
}

func variableLine(form string, v variable) (string, error) {
	switch {
	case form == "sh" && v.value == "":
		return "unset " + v.name, nil
	case form == "sh":
		return "export " + v.name + "=" + shellQuote(v.value), nil
	case form == "fish" && v.value == "":
		return "set -e " + v.name, nil
	case form == "fish":
		// In single quotes fish knows two escapes: \\ and \'.
		return "set -gx " + v.name + " '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v.value) + "'", nil
	case form == "powershell" && v.value == "":
		return "Remove-Item Env:" + v.name + " -ErrorAction SilentlyContinue", nil
	case form == "powershell":
		// PowerShell takes the typographic quotes for the plain one, too.
		return "$env:" + v.name + " = '" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(v.value) + "'", nil
	}
	return dotenvLine(v)
}

// dotenvLine is NAME=value, which every reader of .env files takes as it is: docker run and GitHub's runner know no quotes. Where a value
// needs quotes, they are the single ones, within which nobody interpolates.
func dotenvLine(v variable) (string, error) {
	plain := func(r rune) bool {
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("-_./:@%+=,~", r)
	}
	if !strings.ContainsFunc(v.value, func(r rune) bool { return !plain(r) }) {
		return v.name + "=" + v.value, nil
	}
	if strings.ContainsAny(v.value, "'\n\r") {
		return "", fmt.Errorf("%s cannot be written into a .env file: its readers do not agree on a quote or a line's end within a value; use --output json", v.name)
	}
	return v.name + "='" + v.value + "'", nil
}

// variablesJSON is one object, its members in the order of the variables.
func variablesJSON(variables []variable) (string, error) {
	var out strings.Builder
	out.WriteString("{")
	for i, v := range variables {
		value, err := json.Marshal(v.value)
		if err != nil {
			return "", err
		}
		if i > 0 {
			out.WriteString(",")
		}
		fmt.Fprintf(&out, "\n  %q: %s", v.name, value)
	}
	out.WriteString("\n}\n")
	return out.String(), nil
}
