package provision

// Action is what a step does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Wait   Action = "wait"
)

// Kind is what a step is about, in Cognito's words.
type Kind string

// The kinds.
const (
	UserPool       Kind = "user pool"
	UserPoolDomain Kind = "domain"
	ResourceServer Kind = "resource server"
	ScopesOf       Kind = "scopes"
	AppClient      Kind = "app client"
	Credentials    Kind = "credentials"
)

// Field is one setting that a step changes. A secret is never one.
type Field struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// afterwards stands for what Cognito chooses when it makes a thing.
const afterwards = "(known afterwards)"

// Step is one change.
type Step struct {
	Action Action  `json:"action"`
	Kind   Kind    `json:"kind"`
	Name   string  `json:"name"`
	ID     string  `json:"id,omitempty"`
	Place  string  `json:"place,omitempty"` // of credentials
	Fields []Field `json:"fields,omitempty"`

	scopes []string // of a deletion of scopes
}

// Plan is what has to be done, in the order in which it is safe.
type Plan struct {
	Steps []Step `json:"steps"`
	// Withheld are deletions that were not asked for: what the pool has and the file has not.
	Withheld []Step `json:"withheld"`
	// Blocked are what the file asks for and a plan cannot do, and why.
	Blocked []string `json:"blocked,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Deletions counts the steps that delete.
func (p Plan) Deletions() int {
	n := 0
	for _, s := range p.Steps {
		if s.Action == Delete {
			n++
		}
	}
	return n
}
