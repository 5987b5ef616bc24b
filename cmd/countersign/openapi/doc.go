// Package openapi reads any team's OpenAPI 3.0 or 3.1 document, in JSON or YAML, as what package prove needs: the routes and who may
// call each of them, an example of a request for each operation, and the operations that cannot be judged, with the reason.
//
// It reads what decides about access strictly: a misspelt method or a security scheme that is not there is an error with file, line,
// column and what to write instead. Of the rest (schemas, examples) it takes what it can use and leaves the remainder alone. It is no
// validator of OpenAPI, fetches nothing, and does not read the documents that Countersign itself writes:
// those are a policy of their own, for [countersign.ParsePolicy].
//
// It stands on a YAML parser and a walk of its own, and not on one of the libraries for OpenAPI. Those (kin-openapi, libopenapi) load
// the whole document into a model whose errors have lost their line or column, take a misspelt member for an extension, and bring
// dozens of modules; of all that, security, paths, parameters and examples are wanted here, with a place for each, and with bounds on
// size, depth and references that this package can answer for.
//
// Start with [Read].
package openapi
