package grpcguard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
)

// Server is a server that can say what it serves: a [grpc.Server].
type Server interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}

// Check compares the rules with what is registered on the server, and must be called after the registrations and before Serve. The error
// names every method without a rule, health and reflection included, and every rule without a method: a rule with a typing error in its name
// guards nothing. Until Check has found nothing to name, every call is refused.
func (g *Guard) Check(server Server) error {
	served := map[string]bool{}
	for service, info := range server.GetServiceInfo() {
		for _, method := range info.Methods {
			served["/"+service+"/"+method.Name] = true
		}
	}
	var unruled, unserved []string
	for method := range served {
		if _, found := g.rules[method]; !found {
			unruled = append(unruled, method)
		}
	}
	for method := range g.rules {
		if !served[method] {
			unserved = append(unserved, method)
		}
	}
	var problems []error
	if len(unruled) > 0 {
		problems = append(problems, fmt.Errorf("grpcguard: %s registered without a rule (New at %s); say who may call it, with countersign.Public(\"why nobody needs a token\") for health and reflection",
			list(unruled), g.source))
	}
	if len(unserved) > 0 {
		problems = append(problems, fmt.Errorf("grpcguard: %s in the rules (New at %s) and not registered; correct the name, or register the service before Check",
			list(unserved), g.source))
	}
	if len(problems) == 0 {
		g.checked.Store(true)
	}
	return errors.Join(problems...)
}

func list(methods []string) string {
	slices.Sort(methods)
	verb := " is"
	if len(methods) > 1 {
		verb = " are"
	}
	return strings.Join(methods, ", ") + verb
}
