// Package cluster writes the Amazon EKS cluster of countersign.yaml as eksctl's ClusterConfig. Start with [Render].
//
// It creates nothing and asks nobody. What Amazon EKS supports is a table with a date, in calendar.go; everything else depends on
// the file alone.
package cluster
