// Package e2e holds the stories that need more than Go: the built program, driven by the tools that its users type
// (bash, curl, jq, the AWS CLI, a browser). A tool that is missing fails the test.
package e2e
