// Package report writes what a proof found in the forms that others read: JSON with a schema, JUnit XML, SARIF 2.1.0, annotations of
// GitHub Actions, Markdown for a job's summary, and one HTML page for people who were not there. It judges nothing: the
// rows are [prove.Run]'s.
//
// It also puts two proofs beside each other: of one service through its edge and past it ([NewLayers]), and of now and then
// ([Report.Compare]). What differs becomes rows like the others, so that every form tells it.
//
// Start with [New] and [Report.Write].
package report
