// Package config reads countersign.yaml: what a service is, which scopes it has, who its clients are, and where it runs.
// One file serves the local system and every environment; [Load] reads it, lays an environment over it, and reports
// every mistake with its line and column.
//
// It knows no cloud and no cluster: what the values lead to is written in the packages that read them.
package config
