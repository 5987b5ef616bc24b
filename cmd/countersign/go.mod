module github.com/countersign-dev/countersign/cmd/countersign

go 1.26.0

require github.com/countersign-dev/countersign v0.0.0-00010101000000-000000000000
