module github.com/countersign-dev/countersign/e2e/aws

go 1.26.0

require github.com/countersign-dev/countersign/cmd/countersign v0.0.0

// The tests are about the program that lies beside them.
replace (
	github.com/countersign-dev/countersign v0.0.0 => ../../
	github.com/countersign-dev/countersign/cmd/countersign v0.0.0 => ../../cmd/countersign
)
