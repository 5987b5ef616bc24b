module github.com/countersign-dev/countersign

go 1.25.0
