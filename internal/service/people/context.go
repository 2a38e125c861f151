package people

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Bounds of context variables.
const (
	maxVariables = 500 // in a context
	maxOptions   = 100
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// ContextVariableChange is a new context variable, or what is to change in one.
// Nil fields keep what is there.
type ContextVariableChange struct {
	Name        string             // only of a new one
	ContextType domain.ContextType // only of a new one
	DisplayName rule.Change[string]
	Description rule.Change[string]
	Type        rule.Change[domain.VariableType]
	Options     rule.Change[[]string]
	IfVersion   int64 // 0 for any
}

// CreateContextVariable declares a context variable.
func (p *People) CreateContextVariable(ctx context.Context, in domain.Scope, req ContextVariableChange, once *rule.Once[domain.ContextVariable]) (*domain.ContextVariable, error) {
	switch {
	case !variableName.MatchString(req.Name):
		return nil, domain.Invalid("name", "name must be a letter or _ followed by at most 63 letters, digits and _")
	case req.ContextType != domain.ContextContact && req.ContextType != domain.ContextBusiness:
		return nil, domain.Invalid("context_type", "context_type must be one of: contact, business")
	}
	return rule.Effect(ctx, &p.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.ContextVariable, error) {
		known, err := declared(ctx, st, in, req.ContextType)
		if err != nil {
			return nil, err
		}
		if _, twice := known[req.Name]; twice {
			return nil, domain.Errorf(domain.CodeConflict, "Variable with name '%s' already exists for %s context", req.Name, req.ContextType).
				For(domain.ReasonDuplicateVariable, "name")
		}
		if len(known) >= maxVariables {
			return nil, domain.Errorf(domain.CodeLimitReached, "a context has at most %d variables; delete one first", maxVariables)
		}
		now := p.Clock()
		v := &domain.ContextVariable{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: now, UpdatedAt: now,
			Name: req.Name, ContextType: req.ContextType,
		}
		if err := req.apply(v); err != nil {
			return nil, err
		}
		return v, st.Variables.Create(ctx, v)
	})
}

// UpdateContextVariable changes a declaration. Values that are there stay.
func (p *People) UpdateContextVariable(ctx context.Context, in domain.Scope, id domain.ID, req ContextVariableChange) (*domain.ContextVariable, error) {
	return rule.Effect(ctx, &p.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.ContextVariable, error) {
		v, err := st.Variables.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, v.Version); err != nil {
			return nil, err
		}
		if err := req.apply(v); err != nil {
			return nil, err
		}
		v.UpdatedAt = p.Clock()
		return v, st.Variables.Update(ctx, v)
	})
}

// apply puts the changes into v and checks the whole.
func (req ContextVariableChange) apply(v *domain.ContextVariable) error {
	rule.Set(&v.DisplayName, req.DisplayName)
	rule.Set(&v.Description, req.Description)
	rule.Set(&v.Type, req.Type)
	if req.Options != nil {
		v.Options = distinctTexts(*req.Options)
	}
	err := rule.First(
		rule.Name("display_name", v.DisplayName), rule.Text("description", v.Description, rule.MaxText),
		rule.OneOf("variable_type", string(v.Type), string(domain.VariableText), string(domain.VariableNumber), string(domain.VariableDate),
			string(domain.VariableBoolean), string(domain.VariableSelect)),
		shortTexts("select_options", v.Options, maxOptions),
	)
	if err == nil && v.Type == domain.VariableSelect && len(v.Options) == 0 {
		return domain.Invalid("select_options", "select_options is required: a select needs options to choose from").For(domain.ReasonMissing, "")
	}
	return err
}

// ContextVariables returns the variables of a context ("" is both), oldest
// first.
func (p *People) ContextVariables(ctx context.Context, in domain.Scope, kind domain.ContextType) ([]domain.ContextVariable, error) {
	if kind != "" {
		if err := rule.OneOf("context_type", string(kind), string(domain.ContextContact), string(domain.ContextBusiness)); err != nil {
			return nil, err
		}
	}
	return rule.View(ctx, &p.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.ContextVariable, error) {
		all := []domain.ContextVariable{}
		err := rule.Scan(ctx, st.Variables, in, variableID, func(v *domain.ContextVariable) error {
			if kind == "" || v.ContextType == kind {
				all = append(all, *v)
			}
			return nil
		})
		slices.Reverse(all)
		return all, err
	})
}

// DeleteContextVariable deletes a declaration. Values that are there stay.
func (p *People) DeleteContextVariable(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return p.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		v, err := st.Variables.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, v.Version); err != nil {
			return err
		}
		return st.Variables.Delete(ctx, in, id)
	})
}

// ContextValues are values for context variables, by name; nil takes a value
// away. AutoCreate declares those that are not.
type ContextValues struct {
	Values     map[string]any
	AutoCreate bool
}

// SetContactContext sets custom variables of a contact.
func (p *People) SetContactContext(ctx context.Context, in domain.Scope, id domain.ID, req ContextValues, once *rule.Once[domain.Contact]) (*domain.Contact, error) {
	if err := rule.Variables("variables", req.Values); err != nil {
		return nil, err
	}
	return rule.Effect(ctx, &p.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Contact, error) {
		c, err := st.Contacts.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		values, err := p.contextValues(ctx, st, in, domain.ContextContact, req)
		if err != nil {
			return nil, err
		}
		c.Custom = rule.Merged(c.Custom, values)
		maps.DeleteFunc(c.Custom, func(_ string, v any) bool { return v == nil })
		if err := rule.Variables("variables", c.Custom); err != nil {
			return nil, err
		}
		c.UpdatedAt = p.Clock()
		return c, st.Contacts.Update(ctx, c)
	})
}

// SetBusinessContext sets business variables and returns all of them.
func (p *People) SetBusinessContext(ctx context.Context, in domain.Scope, req ContextValues, once *rule.Once[map[string]any]) (map[string]any, error) {
	if err := rule.Variables("variables", req.Values); err != nil {
		return nil, err
	}
	all, err := rule.Effect(ctx, &p.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*map[string]any, error) {
		values, err := p.contextValues(ctx, st, in, domain.ContextBusiness, req)
		if err != nil {
			return nil, err
		}
		if err := st.Business.Merge(ctx, in, values); err != nil {
			return nil, err
		}
		all, err := st.Business.Values(ctx, in)
		return &all, rule.First(err, rule.Variables("variables", all))
	})
	if err != nil {
		return nil, err
	}
	return *all, nil
}

// contextValues checks values against the declarations of a context, and
// declares what is new when that is asked for.
func (p *People) contextValues(ctx context.Context, st *domain.Stores, in domain.Scope, kind domain.ContextType, req ContextValues) (map[string]any, error) {
	known, err := declared(ctx, st, in, kind)
	if err != nil {
		return nil, err
	}
	values := make(map[string]any, len(req.Values))
	for _, name := range slices.Sorted(maps.Keys(req.Values)) {
		value := req.Values[name]
		v, ok := known[name]
		switch {
		case ok:
		case value == nil:
			values[name] = nil // it is as if it had been taken away
			continue
		case !req.AutoCreate && !variableName.MatchString(name):
			return nil, domain.Invalid("variables", "a variable is not defined; create it first, or send auto_create_variables").
				For(domain.ReasonUndefinedVariable, "")
		case !req.AutoCreate:
			return nil, domain.Invalid("variables", "Variable '%s' is not defined; create it first, or send auto_create_variables", name).
				For(domain.ReasonUndefinedVariable, "")
		case !variableName.MatchString(name):
			return nil, domain.Invalid("variables", "the names of variables must be a letter or _ followed by at most 63 letters, digits and _").
				For(domain.ReasonInvalidValue, "")
		case len(known) >= maxVariables:
			return nil, domain.Errorf(domain.CodeLimitReached, "a context has at most %d variables; delete one first", maxVariables)
		default:
			now := p.Clock()
			v = domain.ContextVariable{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: now, UpdatedAt: now,
				Name: name, DisplayName: strings.ReplaceAll(name, "_", " "), ContextType: kind, Type: typeOf(value),
			}
			if err := st.Variables.Create(ctx, &v); err != nil {
				return nil, err
			}
			known[name] = v
		}
		if values[name], err = fitting(&v, value); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// declared are the variables of a context by name.
func declared(ctx context.Context, st *domain.Stores, in domain.Scope, kind domain.ContextType) (map[string]domain.ContextVariable, error) {
	known := make(map[string]domain.ContextVariable)
	err := rule.Scan(ctx, st.Variables, in, variableID, func(v *domain.ContextVariable) error {
		if v.ContextType == kind {
			known[v.Name] = *v
		}
		return nil
	})
	return known, err
}

func variableID(v *domain.ContextVariable) domain.ID { return v.ID }

// typeOf is the type of a variable that is declared by its first value.
func typeOf(value any) domain.VariableType {
	switch value := value.(type) {
	case float64, json.Number:
		return domain.VariableNumber
	case bool:
		return domain.VariableBoolean
	case string:
		if isoDate(value) {
			return domain.VariableDate
		}
	}
	return domain.VariableText
}

// fitting is value as the variable keeps it.
func fitting(v *domain.ContextVariable, value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	said, isText := value.(string)
	switch v.Type {
	case domain.VariableNumber:
		switch n := value.(type) {
		case float64, json.Number:
			return n, nil
		}
		if f, err := strconv.ParseFloat(strings.TrimSpace(said), 64); isText && err == nil && f-f == 0 {
			return f, nil
		}
		return nil, misfit(v, "a number")
	case domain.VariableDate:
		if isText && isoDate(said) {
			return said, nil
		}
		return nil, misfit(v, "a date in ISO 8601 such as 2025-02-01 or 2025-02-01T09:00:00Z")
	case domain.VariableBoolean:
		if b, ok := truth(value); ok {
			return b, nil
		}
		return nil, misfit(v, "true or false")
	case domain.VariableSelect:
		if isText && slices.Contains(v.Options, said) {
			return said, nil
		}
		return nil, misfit(v, "one of: "+strings.Join(v.Options, ", "))
	}
	switch value.(type) {
	case string, float64, json.Number, bool:
		return value, nil
	}
	return nil, misfit(v, "text")
}

func misfit(v *domain.ContextVariable, want string) error {
	return domain.Invalid("variables", "Invalid value for variable '%s': it must be %s", v.Name, want).For(domain.ReasonInvalidValue, "")
}

// truth reads the ways to write a boolean.
func truth(value any) (is, ok bool) {
	switch value := value.(type) {
	case bool:
		return value, true
	case float64:
		return value == 1, value == 0 || value == 1
	case string:
		switch strings.ToLower(strings.TrimSpace(value)) {
		case "true", "yes", "1":
			return true, true
		case "false", "no", "0":
			return false, true
		}
	}
	return false, false
}

// isoDate reports whether s is a date or a time in ISO 8601.
func isoDate(s string) bool {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
