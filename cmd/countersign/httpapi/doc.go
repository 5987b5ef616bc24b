// Package httpapi writes an Amazon API Gateway HTTP API in front of a service, as a CloudFormation template: a route for each one of the
// policy, the JWT authorizer with its scopes, and the way to the load balancer. Start with [Config.Template].
//
// It is a second look at tokens, and never a stricter one than the guard's: what the guard admits must get through.
package httpapi
