package document

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// yamlReader makes nodes of the YAML parser's.
type yamlReader struct {
	counter
	name  string
	twice []error
	made  map[*yaml.Node]*Node // what an alias may point to; nil while it is being made
}

func parseYAML(name string, data []byte) (*Node, []error, error) {
	// The parser's own bound is 10,000, and its recursion is as deep.
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		return nil, nil, Place{File: name}.Errorf("not YAML: %v", err)
	}
	var root yaml.Node
	if err := loader.Load(&root); errors.Is(err, io.EOF) {
		return nil, nil, Place{File: name}.Errorf("the file is empty")
	} else if err != nil {
		return nil, nil, yamlError(name, err)
	}
	r := &yamlReader{name: name, made: map[*yaml.Node]*Node{}}
	n, err := r.node(&root, 0)
	if err != nil {
		return nil, nil, err
	}
	var second yaml.Node
	switch err := loader.Load(&second); {
	case err == nil:
		return nil, nil, r.place(&second).Errorf("a second document begins here; keep one document in a file")
	case !errors.Is(err, io.EOF):
		return nil, nil, yamlError(name, err)
	}
	return n, r.twice, nil
}

// quotedText is what the parser's messages may repeat of the text. A file of secrets is read with this too.
var quotedText = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`")

func yamlError(name string, err error) error {
	p, text := Place{File: name}, err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		p.Line, p.Column, text = load.Mark.Line, max(load.Mark.Column, 1), load.Message
	}
	text = quotedText.ReplaceAllString(strings.ReplaceAll(strings.TrimPrefix(text, "yaml: "), "\n", " "), "a word")
	return p.Errorf("not YAML: %s", text)
}

func (r *yamlReader) place(n *yaml.Node) Place {
	return Place{File: r.name, Line: n.Line, Column: n.Column}
}

func (r *yamlReader) node(y *yaml.Node, depth int) (*Node, error) {
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) != 1 {
			return nil, Place{File: r.name}.Errorf("the file is empty")
		}
		return r.node(y.Content[0], depth)
	case yaml.AliasNode:
		return r.alias(y, depth)
	}
	p := r.place(y)
	if err := r.add(p, depth); err != nil {
		return nil, err
	}
	n := &Node{Place: p}
	if y.Anchor != "" {
		r.made[y] = nil
	}
	var err error
	switch y.Kind {
	case yaml.MappingNode:
		n.Kind, err = Object, r.mapping(n, y, depth)
	case yaml.SequenceNode:
		n.Kind, err = Array, r.sequence(n, y, depth)
	default:
		err = n.scalar(y)
	}
	if err != nil {
		return nil, err
	}
	if y.Anchor != "" {
		r.made[y] = n
	}
	return n, nil
}

func (r *yamlReader) alias(y *yaml.Node, depth int) (*Node, error) {
	n, known := r.made[y.Alias]
	if !known || n == nil {
		return nil, r.place(y).Errorf("the alias *%s is part of what it stands for", y.Value)
	}
	// Each alias can stand for a value as deep as the bound, with an alias at its bottom.
	return n, r.add(r.place(y), depth+n.height)
}

func (r *yamlReader) sequence(n *Node, y *yaml.Node, depth int) error {
	if err := knownTag(y, n.Place); err != nil {
		return err
	}
	for _, item := range y.Content {
		child, err := r.node(item, depth+1)
		if err != nil {
			return err
		}
		n.append(child)
	}
	return nil
}

func (r *yamlReader) mapping(n *Node, y *yaml.Node, depth int) error {
	if err := knownTag(y, n.Place); err != nil {
		return err
	}
	names := uniqueNames{}
	var merged []*Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		p := r.place(key)
		value, err := r.node(y.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if key.Kind == yaml.ScalarNode && key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return p.Errorf("the name of a member is a list or a mapping; write a word")
		}
		if names.add(key.Value, p, &r.twice) {
			n.appendMember(Member{Name: key.Value, Place: p, Value: value})
		}
	}
	return r.merge(n, names, merged)
}

// merge adds the members of "<<: *anchor" that the mapping has not itself (the merge key of YAML 1.1).
func (r *yamlReader) merge(n *Node, names uniqueNames, merged []*Node) error {
	for _, from := range merged {
		sources := []*Node{from}
		if from.Kind == Array {
			sources = from.Items
		}
		for _, source := range sources {
			if source.Kind != Object {
				return source.Place.Errorf("<< takes a mapping, not %s", source.Kind)
			}
			for _, m := range source.Members {
				if _, has := names[m.Name]; has {
					continue
				}
				// The members of a merge are values of their own for the bound: a chain of merges doubles with each link.
				if err := r.add(m.Place, 0); err != nil {
					return err
				}
				names[m.Name] = m.Place
				n.appendMember(m)
			}
		}
	}
	return nil
}

// scalar takes the value of a scalar over, by the tag that the parser resolved.
func (n *Node) scalar(y *yaml.Node) error {
	if err := knownTag(y, n.Place); err != nil {
		return err
	}
	switch y.Tag {
	case "!!null":
		n.Kind = Null
	case "!!bool":
		n.Kind, n.Text = Bool, strings.ToLower(y.Value)
		if n.Text != "true" && n.Text != "false" {
			n.Kind, n.Text = String, y.Value
		}
	case "!!int", "!!float":
		n.Kind, n.Text = Number, y.Value
		if !json.Valid([]byte(y.Value)) {
			n.Kind, n.Text = yamlNumber(y)
		}
	default:
		n.Kind, n.Text = String, y.Value // dates too: JSON has none
	}
	return nil
}

// yamlNumber writes a number as JSON does. What JSON has no number for (.inf, .nan) stays text.
func yamlNumber(y *yaml.Node) (Kind, string) {
	var value any
	if y.Decode(&value) == nil {
		if text, err := json.Marshal(value); err == nil && json.Unmarshal(text, new(json.Number)) == nil {
			return Number, string(text)
		}
	}
	return String, y.Value
}

// knownTag refuses the tags of other programs: "!Sub" would be read as the text that another program is still to replace.
func knownTag(y *yaml.Node, p Place) error {
	if tag := cmp.Or(y.Tag, "!!str"); !strings.HasPrefix(tag, "!!") && tag != "!" {
		return p.Errorf("the tag %s is for another program; write the value that it stands for", Quote(tag))
	}
	return nil
}
