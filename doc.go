// Package countersign is the resource server: it verifies access tokens and decides who may call which route.
package countersign
