package domain

import "time"

// ContextType says whose context a variable belongs to.
type ContextType string

// The two contexts.
const (
	ContextContact  ContextType = "contact"  // each contact has values of its own
	ContextBusiness ContextType = "business" // the workspace has one value
)

// BusinessPrefix leads the names of business variables where calls use them.
const BusinessPrefix = "business_"

// VariableType says what values a context variable takes.
type VariableType string

// The types of context variables.
const (
	VariableText    VariableType = "text"
	VariableNumber  VariableType = "number"
	VariableDate    VariableType = "date"
	VariableBoolean VariableType = "boolean"
	VariableSelect  VariableType = "select" // one of Options
)

// ContextVariable declares a variable of contacts or of the business.
type ContextVariable struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	ContextType ContextType
	Name        string // once in a workspace, mode and context; never changes
	DisplayName string
	Description string
	Type        VariableType
	Options     []string // of VariableSelect
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
