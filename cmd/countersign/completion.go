package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/countersign-dev/countersign"
	"github.com/countersign-dev/countersign/cmd/countersign/dev"
)

// completionTime bounds what a shell waits for. What is on this machine answers in milliseconds, but for when it is busy.
const completionTime = 5 * time.Second

// completeRunning offers what the running dev knows; nothing, where none runs.
func completeRunning(state *stateFlag, offer func(context.Context, dev.State, dev.Running) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		dir, err := state.state()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		running, err := dev.Find(ctx, dir)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(ctx, dir, running), cobra.ShellCompDirectiveNoFileComp
	}
}

// routesOf are the routes of the running service.
func routesOf(running dev.Running) []countersign.Route {
	policy, err := countersign.ParsePolicy(running.Policy)
	if err != nil {
		return nil
	}
	return policy.Routes
}

// distinct are the values in order, each once and none empty.
func distinct(values []string) []string {
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(s string) bool { return s == "" })
}

// prefixesOf are the paths of the routes and what is above them, as far as it has no parameter.
func prefixesOf(running dev.Running) []string {
	var all []string
	for _, route := range routesOf(running) {
		path, _, _ := strings.Cut(route.Path, "/{")
		for ; len(path) > 1; path = path[:strings.LastIndexByte(path, '/')] {
			all = append(all, path)
		}
	}
	return distinct(all)
}

// methodsAndPaths are the methods of the routes, and after one of them its paths.
func methodsAndPaths(running dev.Running, args []string) []string {
	var all []string
	for _, route := range routesOf(running) {
		switch {
		case len(args) == 0:
			all = append(all, route.Method)
		case len(args) == 1 && (route.Method == args[0] || route.Method == ""):
			all = append(all, route.Path)
		}
	}
	return distinct(all)
}
