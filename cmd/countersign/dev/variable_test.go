package dev_test

import (
	"strings"
	"testing"
)

// What the page tells people to paste uses the variable that env has set.
func TestPageNamesTheVariableOfEnv(t *testing.T) {
	s := start(t, config(t.TempDir()))
	page := get(t, s.Running.AWSURL+"/")
	if !strings.Contains(page, "&#34;$CLIENT_CREDENTIALS_READ&#34; |\n") {
		t.Errorf("the page shows\n%s", page)
	}
}
