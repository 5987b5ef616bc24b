package main

import (
	"context"
	"strings"
	"testing"

	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// A client that its user has deleted since the start takes no other variable away.
func TestVariablesOfAClientThatIsGone(t *testing.T) {
	state, system := startDemo(t)
	admin, err := dev.OpenAdmin(dev.State(state), system.Running)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	variables, err := clientVariables(t.Context(), admin, []string{"readClient", "gone", "microService"}, func(err error) { notes = append(notes, err.Error()) })
	if err != nil || len(variables) != 1 || variables[0].name != "CLIENT_CREDENTIALS_READ" {
		t.Errorf("%d variables, %v", len(variables), err)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], `has no app client "gone"`) {
		t.Errorf("notes %q", notes)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if variables, err := clientVariables(ended, admin, []string{"readClient"}, nil); err == nil || variables != nil {
		t.Errorf("without an answer there are %d variables", len(variables))
	}
}

func TestVariableNames(t *testing.T) {
	for client, want := range map[string]string{
		"readClient": "READ", "order-reader": "ORDER_READER", "reader": "READER", "Client": "CLIENT", "a b/c": "A_B_C", "v2Reader": "V2READER", "ÄReader": "_READER",
	} {
		if got := dev.ClientVariable(client); got != "CLIENT_CREDENTIALS_"+want {
			t.Errorf("%s: %s, want %s", client, got, want)
		}
	}
}
