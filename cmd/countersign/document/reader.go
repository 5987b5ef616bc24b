package document

import "slices"

// Reader reads a document whose members are known, and gathers what is wrong with it. It says names of members and places, and
// no value: that may be a secret.
type Reader struct {
	Problems []error
}

// Failf notes what is wrong at a place.
func (r *Reader) Failf(p Place, format string, args ...any) {
	r.Problems = append(r.Problems, p.Errorf(format, args...))
}

// Object reports whether n is an object, and notes each member that is not known. With none known, any name is.
func (r *Reader) Object(n *Node, what string, known ...string) bool {
	if n.Kind != Object {
		r.Failf(n.Place, "%s is %s; write an object", what, n.Kind)
		return false
	}
	for _, m := range n.Members {
		if len(known) > 0 && !slices.Contains(known, m.Name) {
			r.Failf(m.Place, "%s has no member of this name; it has %q", what, known)
		}
	}
	return true
}

// Word returns the text of n's member of that name, a string or a number; "" when it is not there or something else.
func (r *Reader) Word(n *Node, name string) string {
	n = n.Get(name)
	if n == nil {
		return ""
	}
	if n.Kind != String && n.Kind != Number || n.Text == "" {
		r.Failf(n.Place, "%s is %s; write a word, in quotes", name, n.Kind)
		return ""
	}
	return n.Text
}

// List returns the items of n's member of that name; none when it is not there or something else.
func (r *Reader) List(n *Node, name string) []*Node {
	n = n.Get(name)
	if n == nil {
		return nil
	}
	if n.Kind != Array {
		r.Failf(n.Place, "%s is %s; write a list", name, n.Kind)
		return nil
	}
	return n.Items
}
