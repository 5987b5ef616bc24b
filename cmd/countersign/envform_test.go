package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// odd are values that a quoting which is almost right spoils.
var odd = []string{
	"plain", "a b", "a'b", `a"b`, `a\b`, `a\'b`, "$HOME", "`id`", "$(id)", "a;b", "a&b", "a|b", "#a", "a#b", "!!", "~", "*", "{a,b}", "%PATH%", "é ’ ‘", "a\nb", " a ", "=a=", "-n",
}

// What a shell makes of the lines is what was meant, and nothing in a value is run.
func TestVariablesSurviveTheShell(t *testing.T) {
	for _, shell := range []string{"sh", "bash"} {
		if _, err := exec.LookPath(shell); err != nil {
			continue // there is always one of them, see below
		}
		for _, value := range odd {
			lines, err := writeVariables("sh", []variable{{"GONE", ""}, {"VALUE", value}})
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(shell, "-c", `eval "$1"; printf %s "$VALUE${GONE-, gone}"`, "-", lines)
			cmd.Env = []string{"GONE=there"}
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != value+", gone" {
				t.Errorf("%s: %q became %q, %v", shell, value, out, err)
			}
		}
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Error(err)
	}
}

func TestVariablesInOtherForms(t *testing.T) {
	for _, tt := range []struct{ form, value, want string }{
		{"fish", `a'b\c $x`, `set -gx VALUE 'a\'b\\c $x'`},
		{"fish", "", "set -e VALUE"},
		{"powershell", "a'b $x ’", "$env:VALUE = 'a''b $x ’’'"},
		{"powershell", "", "Remove-Item Env:VALUE -ErrorAction SilentlyContinue"},
		{"dotenv", "http://localhost:8080/a?b=c+d==", "VALUE='http://localhost:8080/a?b=c+d=='"},
		{"dotenv", "aWQ6c2VjcmV0+/==", "VALUE=aWQ6c2VjcmV0+/=="},
		{"dotenv", `a b#c $x "y"`, `VALUE='a b#c $x "y"'`},
		{"dotenv", "", "VALUE="},
	} {
		got, err := writeVariables(tt.form, []variable{{"VALUE", tt.value}})
		if err != nil || got != tt.want+"\n" {
			t.Errorf("%s %q: %q %v, want %q", tt.form, tt.value, got, err, tt.want)
		}
	}
	for _, value := range []string{"a'b", "a\nb"} {
		if got, err := writeVariables("dotenv", []variable{{"VALUE", value}}); err == nil || got != "" || strings.Contains(err.Error(), value) {
			t.Errorf("dotenv %q: %q, %v", value, got, err)
		}
	}
}

func TestVariablesAsJSON(t *testing.T) {
	for _, value := range odd {
		text, err := writeVariables("json", []variable{{"B", value}, {"A", ""}})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(text), &got); err != nil || got["B"] != value || len(got) != 2 {
			t.Errorf("%q became %q, %v", value, got["B"], err)
		}
		if strings.Index(text, `"B"`) > strings.Index(text, `"A"`) {
			t.Errorf("the order is lost: %s", text)
		}
	}
}
