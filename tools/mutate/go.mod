module github.com/countersign-dev/countersign/tools/mutate

go 1.26.0
