package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// Problem is one mistake in a file.
type Problem struct {
	Place document.Place
	Path  string // the member as it is written, "clients[0].scopes[1]"; empty for the file as a whole
	Text  string // what is wrong, and what to write instead
}

// Error is the problem as compilers print it, "countersign.yaml:12:3: clients[0].scopes[1]: …".
func (p *Problem) Error() string {
	if p.Path == "" {
		return p.Place.String() + ": " + p.Text
	}
	return p.Place.String() + ": " + p.Path + ": " + p.Text
}

// Problems are all mistakes that were found, in the order of the file.
type Problems []*Problem

// Error has one problem a line.
func (p Problems) Error() string {
	var lines []string
	for _, problem := range p {
		lines = append(lines, problem.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a [Problem].
func (p Problems) Unwrap() []error {
	var all []error
	for _, problem := range p {
		all = append(all, problem)
	}
	return all
}

// maxProblems bounds what a file of nothing but mistakes makes people read.
const maxProblems = 100

// err sorts the problems by their place. It is nil if there is none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
	p = slices.CompactFunc(p, func(a, b *Problem) bool { return *a == *b })
	if more := len(p) - maxProblems; more > 0 {
		last := p[maxProblems]
		p = append(p[:maxProblems:maxProblems], &Problem{Place: last.Place, Text: fmt.Sprintf("here and further down are %d more", more)})
	}
	return p
}

// AsProblems returns the problems of an error of [Load] or [File.Config], and nil for another error.
func AsProblems(err error) Problems {
	var all Problems
	var one *Problem
	switch {
	case errors.As(err, &all):
		return all
	case errors.As(err, &one):
		return Problems{one}
	}
	return nil
}
