package cognito

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A violation is a value that breaks a constraint of the model.
type violation struct{ value, path, rule string }

type violations []violation

func (v *violations) add(value, path, rule string) { *v = append(*v, violation{value, path, rule}) }

// asError reports all violations in one error, in the words of AWS's services:
//
//	1 validation error detected: Value 'no/slash' at 'poolName' failed to satisfy constraint: Member must satisfy
//	regular expression pattern: [\w\s+=,.@-]+
func (v violations) asError() error {
	if len(v) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error", len(v))
	if len(v) > 1 {
		b.WriteByte('s')
	}
	b.WriteString(" detected: ")
	for i, one := range v {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString("Value ")
		if one.value != "" {
			b.WriteString(one.value + " ")
		}
		fmt.Fprintf(&b, "at '%s' failed to satisfy constraint: %s", one.path, one.rule)
	}
	return apiError(CodeInvalidParameter, "%s", b.String())
}

// rules lists all constraints of a shape, as AWS does for the values of a list or map.
func (s *shape) rules() []string {
	var all []string
	if s.max != noLimit {
		all = append(all, s.maxRule())
	}
	if s.min != noLimit {
		all = append(all, s.minRule())
	}
	if s.pattern != nil {
		all = append(all, s.patternRule())
	}
	if s.enum != nil {
		all = append(all, s.enumRule())
	}
	return all
}

func (s *shape) maxRule() string {
	return "Member must have " + s.measure() + " less than or equal to " + strconv.Itoa(s.max)
}

func (s *shape) minRule() string {
	return "Member must have " + s.measure() + " greater than or equal to " + strconv.Itoa(s.min)
}

func (s *shape) patternRule() string {
	return "Member must satisfy regular expression pattern: " + s.pattern.text
}

func (s *shape) enumRule() string {
	return "Member must satisfy enum value set: [" + strings.Join(s.enum, ", ") + "]"
}

func (s *shape) measure() string {
	if s.kind == kindInteger {
		return "value"
	}
	return "length"
}

// show quotes a value for a validation error; a sensitive one is left out.
func (s *shape) show(v any) string {
	if s.sensitive {
		return ""
	}
	return "'" + clip(plain(v)) + "'"
}

func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = plain(one)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		return "{" + strconv.Itoa(len(v)) + " entries}"
	}
	return fmt.Sprint(v)
}

// clip bounds how much of a request an answer repeats.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
