// Package issuer runs the built program as an issuer in production: two processes behind a load balancer that asks /readyz,
// restarted one after the other while keys are rotated and tokens are asked for and used.
package issuer
