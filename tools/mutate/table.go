package main

// table is every check of the verifier. A check that is added there belongs here: a line of package countersign or internal/jose that refuses
// something, with the clause that it keeps. OFF is true in the mutant that the line names; mutantOr(OFF, is, instead) chooses a value.
func table() []mutation {
	var all []mutation
	for _, part := range [][]mutation{compactTable, jsonTable, keyTable, tokenTable, claimTable, cacheTable, requestTable, answerTable, ruleTable, probeTable, keySourceTable, fetchTable} {
		all = append(all, part...)
	}
	return all
}

// one is the mutation of a single line.
func one(name, clause, file, old, new string) mutation {
	return mutation{name, clause, []edit{{file, old, new}}}
}
