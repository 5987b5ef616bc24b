// Package sdk runs AWS's own SDKs for Python and JavaScript, unmodified, through every operation of the local issuer, and
// reaches the issuer at AWS's own URL with curl, Go, Node and Python. A tool that is missing fails the test.
package sdk
