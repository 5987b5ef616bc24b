package dev

import (
	"sync/atomic"

	"github.com/countersign-dev/countersign/cmd/countersign/console"
)

// lastProof is the result of the last proof, for the page.
type lastProof struct{ atomic.Pointer[console.Proof] }

func (p *lastProof) get() *console.Proof { return p.Load() }
