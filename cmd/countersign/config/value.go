package config

import (
	"fmt"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// maxValues bounds what aliases may unfold to. A file that people write has some hundred values.
const maxValues = 100_000

// A value is one of the effective file. It knows where it was written: in the file proper or in an environment's overlay.
type value struct {
	document.Place
	path    string // as it is written: clients[0].scopes[1], environments.prod.pool.region
	kind    document.Kind
	text    string
	items   []*value
	members []member
}

type member struct {
	name string
	document.Place
	value *value
}

// planter makes values of a document's nodes. A node that aliases share becomes a value for each place that it stands at.
type planter struct{ count int }

func (p *planter) plant(n *document.Node, path string) (*value, error) {
	if p.count++; p.count > maxValues {
		return nil, &Problem{Place: n.Place, Path: path, Text: fmt.Sprintf("the aliases of the file unfold to more than %d values", maxValues)}
	}
	v := &value{Place: n.Place, path: path, kind: n.Kind, text: n.Text}
	for i, item := range n.Items {
		child, err := p.plant(item, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, child)
	}
	for _, m := range n.Members {
		child, err := p.plant(m.Value, join(path, m.Name))
		if err != nil {
			return nil, err
		}
		v.members = append(v.members, member{m.Name, m.Place, child})
	}
	return v, nil
}

// join writes the path of a member as people do. A name that is not a word is shown so that no terminal obeys it.
func join(path, name string) string {
	if name = document.Plain(name); path == "" {
		return name
	}
	return path + "." + name
}

func (v *value) get(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return v.members[i].value
		}
	}
	return nil
}

// name is the text of the member name: what the items of some lists are told apart by.
func (v *value) name() string {
	if n := v.get("name"); n != nil && n.kind == document.String {
		return n.text
	}
	return ""
}

// kindWords are the kinds with their article, in the words of YAML.
var kindWords = map[document.Kind]string{
	document.Null: "nothing", document.Bool: "true or false", document.Number: "a number", document.String: "a text",
	document.Array: "a list", document.Object: "a mapping",
}
