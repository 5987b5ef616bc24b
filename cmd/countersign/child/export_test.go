package child

// SplitGoRun is splitGoRun.
var SplitGoRun = splitGoRun
