// Package document reads a file that people write, in JSON or in YAML, as a tree whose every value knows its line and
// column, so that what is wrong with it can be said where it stands.
//
// JSON is read as JSON and YAML as YAML, and both become the values of JSON (RFC 8259, Section 3): the reader of a document
// need not care in which of the two it was written. Aliases and merge keys of YAML are followed; a member that is there twice is
// an error, because a reviewer reads the first and a parser takes the last. Size, depth and number of values are bounded.
//
// It knows no schema and binds to no Go type. Start with [Parse]; [Reader] reads files whose members are few and known.
package document
