package manifests

import (
	"errors"
	"fmt"

	"github.com/countersign-dev/countersign/cmd/countersign/config"
)

// problems collects what is wrong with one file, so that it is said at once.
type problems struct {
	cfg *config.Config
	all []error
}

// at adds a mistake in a member of the file, such as "ingress.cidrs": what is wrong, and what to write.
func (p *problems) at(member, format string, values ...any) {
	p.all = append(p.all, p.cfg.Problem(member, format, values...))
}

// add adds a mistake in what did not come from the file.
func (p *problems) add(format string, values ...any) {
	p.all = append(p.all, fmt.Errorf(format, values...))
}

func (p *problems) err() error { return errors.Join(p.all...) }
