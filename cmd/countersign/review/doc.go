// Package review says, for the reviewer of a pull request, who may call what after it that could not before: it reads two
// versions of a policy file, from files or from git revisions, and writes what differs as text, as Markdown for a comment, as
// SARIF 2.1.0, as annotations of GitHub Actions and as JSON. What differs is decided by [countersign.Diff], not here.
//
// Start with [Compare].
package review
