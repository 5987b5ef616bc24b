// Package issuer runs the built program as an issuer in production: two processes behind a load balancer that asks /readyz,
// restarted one after the other while keys are rotated and tokens are asked for and used; and one process among thousands of slow
// connections, bodies of a gigabyte and strangers without end.
package issuer
