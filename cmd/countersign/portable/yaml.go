package portable

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v4"

	"github.com/countersign-dev/countersign/cmd/countersign/document"
)

// Encode writes a document of [cognito.Service.ExportPool] as YAML, member for member, in its order.
func Encode(text []byte) ([]byte, error) {
	root, err := document.Parse("pool.json", text)
	if err != nil {
		return nil, fmt.Errorf("encode the pool: %w", err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node(root)); err != nil {
		return nil, fmt.Errorf("encode the pool: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("encode the pool: %w", err)
	}
	return out.Bytes(), nil
}

// node is the same value as YAML has it. Tags say what each scalar is, so that a string that looks like a number is quoted.
func node(n *document.Node) *yaml.Node {
	scalar := func(tag, text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text} }
	switch n.Kind {
	case document.Bool:
		return scalar("!!bool", n.Text)
	case document.Number:
		return scalar("", n.Text)
	case document.String:
		return scalar("!!str", n.Text)
	case document.Array:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range n.Items {
			out.Content = append(out.Content, node(item))
		}
		return out
	case document.Object:
		out := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range n.Members {
			out.Content = append(out.Content, scalar("!!str", m.Name), node(m.Value))
		}
		return out
	}
	return scalar("!!null", "null")
}

// maxDocument bounds a pool as JSON: ten thousand app clients have some 20 MB.
const maxDocument = 64 << 20

// Decode reads YAML or JSON as the document that [cognito.Service.ImportPool] takes.
func Decode(name string, text []byte) ([]byte, error) {
	root, err := document.Parse(name, text)
	if err != nil {
		return nil, err
	}
	if root.Kind != document.Object || root.Get("UserPool") == nil {
		return nil, root.Place.Errorf("this is no user pool: want UserPool with what `countersign pool export` writes")
	}
	return root.JSON(maxDocument)
}
