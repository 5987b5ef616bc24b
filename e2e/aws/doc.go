// Package aws holds the stories of the built program and AWS, played by what others wrote: moto is Cognito's control plane,
// Secrets Manager and KMS, and cfn-lint knows CloudFormation's schemas. Between program and service stands a proxy that cuts every
// call in turn. A tool that is missing fails the test.
package aws
