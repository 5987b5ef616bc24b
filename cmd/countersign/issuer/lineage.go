package issuer

import "math/rand/v2"

// A revision is not the last one plus 1 but the last one plus a random step, so that it names one history.
//
// After a restore from a backup, or a failover that lost the newest commits, a database goes on from an earlier revision. If
// revisions were counted, others would soon bring it to the number at which this replica stands, with other contents, and
// neither Changes nor Commit could tell. With random steps the two histories have no number in common, and the ring of
// the last revisions tells a replica whether its own is one of this history: if not, it loads everything again.
// 2^24 makes the chance that this goes wrong 1 in 16 million for each restore, and lasts for 2^40 commits.
const maxStep = 1 << 24

// ringSize is how many revisions the ring has. A replica that is further behind loads everything again.
const ringSize = 1024

func nextRevision(revision int64) int64 { return revision + 1 + rand.Int64N(maxStep) }
