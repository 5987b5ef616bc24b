// Package gateway is the edge in front of a service: the part that an AWS Application Load Balancer plays in a deployment,
// as one [http.Handler] for a laptop or a small host.
//
// It terminates TLS, lets in only peers of an allow list, routes by host and path prefix, and forwards one request as one
// request. It is not an authorizer: it neither reads nor removes a token, because the service behind it decides by itself
// and must be safe without an edge.
//
// What the edge cannot route with certainty it refuses. A path that the edge and the service could read in two ways, a
// query that would have to be repaired and a body over the limit never reach the service.
//
// Start with [New] and [Gateway.Serve]. [LoadOrCreateCA] gives the local certificate authority whose
// [CA.GetCertificate] fits [Config].
package gateway
