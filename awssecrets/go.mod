module github.com/countersign-dev/countersign/awssecrets

go 1.25.0

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7
	github.com/aws/aws-sdk-go-v2/service/secretsmanager v1.50.10
	github.com/countersign-dev/countersign v0.0.0
)

require (
	github.com/aws/aws-sdk-go-v2/internal/configsources v1.5.10 // indirect
	github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 v2.8.10 // indirect
	github.com/aws/smithy-go v1.28.8 // indirect
)

// The module is about the library that lies beside it. Whoever requires this module is not reached by it.
replace github.com/countersign-dev/countersign v0.0.0 => ../
