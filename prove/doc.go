// Package prove proves that a service refuses and admits what its policy says.
package prove
