package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/countersign-dev/countersign/prove"
)

// readValues reads --value.
func (o *proveOptions) readValues() error {
	o.known = map[string]string{}
	var problems []error
	for _, text := range o.values {
		name, value, found := strings.Cut(text, "=")
		if _, twice := o.known[name]; !found || name == "" || value == "" || twice {
			problems = append(problems, fmt.Errorf("--value %s: write NAME=VALUE, once for each name, as in id=order-7", text))
			continue
		}
		o.known[name] = value
	}
	return errors.Join(problems...)
}

var wildcardName = regexp.MustCompile(`\{([^{}.$]+)`)

// examplesWith are the examples of the document, with the values that somebody knows in the place of those that the document has or that were made.
func (p proofPolicy) examplesWith(known map[string]string) map[string]prove.Example {
	all := maps.Clone(p.examples)
	for pattern, e := range all {
		values, made := map[string]string{}, false
		maps.Copy(values, e.Values)
		for _, m := range wildcardName.FindAllStringSubmatch(pattern, -1) {
			value, given := known[m[1]]
			if given {
				values[m[1]] = value
			}
			made = made || !given
		}
		e.Values, e.Made = values, e.Made && made
		all[pattern] = e
	}
	return all
}
