// Package provision makes a Cognito user pool, its domain, resource server, scopes and app clients match countersign.yaml,
// and writes each client's credentials where its service reads them. Amazon Cognito and the local issuer are the same to
// it: only the endpoint differs.
//
// [NewWant] says what there shall be, [Read] what there is, [NewPlan] compares the two without any I/O, and [Apply] does the
// steps of the plan. A run that was cut off anywhere is finished by the next one, because each begins by reading.
// Nothing is deleted unless the plan was asked to prune.
package provision
