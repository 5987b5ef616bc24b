package child

// SplitGoRun is splitGoRun.
var SplitGoRun = splitGoRun

// Held is how many lines are held back.
func (c *Child) Held() int {
	c.output.mu.Lock()
	defer c.output.mu.Unlock()
	return c.output.count
}
