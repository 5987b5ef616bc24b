// Package seen compares what a service was asked with what its document says: from an access log in the common or combined format, or
// from a HAR, it tells the routes that are served and in no document, and those of the document that nobody was ever served.
//
// A proof begins with a list of routes, and says nothing of a route that the list lacks: this is where such a route is found. It
// keeps methods, paths and statuses; queries, header fields and bodies, which may have tokens in them, are not kept. Start with [Read].
package seen
