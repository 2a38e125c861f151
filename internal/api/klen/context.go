package klen

import (
	"context"
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/people"
)

// ContextVariable declares a variable of contacts or of the business.
type ContextVariable struct {
	ID            domain.ID           `json:"id"`
	Name          string              `json:"name"`
	DisplayName   string              `json:"display_name"`
	Description   string              `json:"description"`
	VariableType  domain.VariableType `json:"variable_type" enum:"text,number,date,boolean,select"`
	ContextType   domain.ContextType  `json:"context_type" enum:"contact,business"`
	IsDefault     bool                `json:"is_default"`
	SelectOptions []string            `json:"select_options" nullable:"true"`
}

// ContextVariables are all variables.
type ContextVariables struct {
	Count     int               `json:"count"`
	Variables []ContextVariable `json:"variables"`
}

// ContextVariableFields are the fields of a new variable, or of a change to one.
type ContextVariableFields struct {
	Name          wire.Opt[string]              `json:"name,omitzero" doc:"Required of a new variable; never changes."`
	DisplayName   wire.Opt[string]              `json:"display_name,omitzero" doc:"Required of a new variable."`
	VariableType  wire.Opt[domain.VariableType] `json:"variable_type,omitzero" doc:"Required of a new variable: text, number, date, boolean or select."`
	ContextType   wire.Opt[domain.ContextType]  `json:"context_type,omitzero" doc:"Required of a new variable: contact or business; never changes."`
	Description   wire.Opt[string]              `json:"description,omitzero"`
	SelectOptions wire.Opt[[]string]            `json:"select_options,omitzero"`
}

// SavedVariable is the answer to a change of a variable.
type SavedVariable struct {
	ID          domain.ID `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	Message     string    `json:"message"`
}

// ContextFields are values for variables.
type ContextFields struct {
	Variables  wire.Opt[map[string]any] `json:"variables,omitzero" doc:"Required: values by name; null takes a value away."`
	AutoCreate wire.Opt[bool]           `json:"auto_create_variables,omitzero" doc:"Declare variables that are not, by the kind of their values."`
}

// SavedContext is the answer to values for a contact.
type SavedContext struct {
	Message   string    `json:"message"`
	ContactID domain.ID `json:"contact_id"`
}

// SavedBusiness is the answer to values for the business.
type SavedBusiness struct {
	Message   string         `json:"message"`
	Variables map[string]any `json:"variables" doc:"All values; calls know them with business_ before their names."`
}

func (f *face) contextRoutes(rt *wire.Router, route func(method, path, id, scope, summary string, aliases ...string) wire.Route) {
	const path, one = Root + "/context-variables", Root + "/context-variables/{id}"
	wire.Handle(rt, route(http.MethodGet, path, "list-context-variables", "read", "List context variables"), f.listVariables)
	create := route(http.MethodPost, path+"/create", "create-context-variable", "write", "Declare a context variable", path)
	create.Status = http.StatusCreated
	wire.Handle(rt, create, f.createVariable)
	wire.Handle(rt, route(http.MethodPatch, one+"/update", "update-context-variable", "write", "Update a context variable", one), f.updateVariable)
	wire.Handle(rt, route(http.MethodPut, one+"/update", "put-context-variable", "write", "Update a context variable", one), f.updateVariable)
	wire.Handle(rt, route(http.MethodDelete, one+"/delete", "delete-context-variable", "write", "Delete a context variable", one), f.deleteVariable)
	wire.Handle(rt, route(http.MethodPost, Root+"/contacts/{id}/context", "set-contact-context", "write", "Set context variables of a contact"), f.setContactContext)
	wire.Handle(rt, route(http.MethodPost, Root+"/business/context", "set-business-context", "write", "Set business variables"), f.setBusinessContext)
}

func (f *face) listVariables(ctx context.Context, in *struct {
	ContextType domain.ContextType `query:"context_type" doc:"contact or business; both when not sent."`
}) (*struct{ Body ContextVariables }, error) {
	rows, err := f.rules.ContextVariables(ctx, wire.ScopeOf(ctx), in.ContextType)
	if err != nil {
		return nil, err
	}
	body := ContextVariables{Count: len(rows), Variables: make([]ContextVariable, len(rows))}
	for i := range rows {
		v := &rows[i]
		body.Variables[i] = ContextVariable{
			ID: v.ID, Name: v.Name, DisplayName: v.DisplayName, Description: v.Description, VariableType: v.Type,
			ContextType: v.ContextType, SelectOptions: v.Options,
		}
	}
	return &struct{ Body ContextVariables }{body}, nil
}

func (f *face) createVariable(ctx context.Context, in *struct {
	Body wire.Loose[ContextVariableFields]
}) (*contactAnswer[SavedVariable], error) {
	b := &in.Body.Value
	for _, field := range []struct{ name, value string }{
		{"name", b.Name.Value}, {"display_name", b.DisplayName.Value}, {"variable_type", string(b.VariableType.Value)},
		{"context_type", string(b.ContextType.Value)},
	} {
		if strings.TrimSpace(field.value) == "" {
			return nil, lacking(field.name)
		}
	}
	req := b.change()
	req.Name, req.ContextType = b.Name.Value, b.ContextType.Value
	saved := func(v *domain.ContextVariable) any { return savedVariable(v, "created") }
	v, err := f.rules.CreateContextVariable(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusCreated, saved))
	if err != nil {
		return nil, err
	}
	return &contactAnswer[SavedVariable]{wire.ETagOf(v.Version), savedVariable(v, "created")}, nil
}

func (f *face) updateVariable(ctx context.Context, in *struct {
	ID domain.ID `path:"id" doc:"The variable's id."`
	wire.IfMatch
	Body wire.Loose[ContextVariableFields]
}) (*contactAnswer[SavedVariable], error) {
	req := in.Body.Value.change()
	var err error
	if req.IfVersion, err = in.Version(); err != nil {
		return nil, err
	}
	v, err := f.rules.UpdateContextVariable(ctx, wire.ScopeOf(ctx), in.ID, req)
	if err != nil {
		return nil, err
	}
	return &contactAnswer[SavedVariable]{wire.ETagOf(v.Version), savedVariable(v, "updated")}, nil
}

// change translates what may change.
func (b *ContextVariableFields) change() people.ContextVariableChange {
	return people.ContextVariableChange{
		DisplayName: b.DisplayName.Given(), Description: b.Description.Change(), Type: b.VariableType.Given(), Options: b.SelectOptions.Change(),
	}
}

func savedVariable(v *domain.ContextVariable, what string) SavedVariable {
	return SavedVariable{ID: v.ID, Name: v.Name, DisplayName: v.DisplayName, Message: "Variable definition " + what + " successfully"}
}

func (f *face) deleteVariable(ctx context.Context, in *struct {
	ID domain.ID `path:"id" doc:"The variable's id."`
	wire.IfMatch
}) (*contactAnswer[ContactMessage], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	if err := f.rules.DeleteContextVariable(ctx, wire.ScopeOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &contactAnswer[ContactMessage]{Body: ContactMessage{ID: in.ID, Message: "Variable definition deleted successfully"}}, nil
}

func (f *face) setContactContext(ctx context.Context, in *struct {
	ContactByID
	Body wire.Loose[ContextFields]
}) (*contactAnswer[SavedContext], error) {
	req, err := in.Body.Value.values()
	if err != nil {
		return nil, err
	}
	const message = "Contact context variables updated successfully"
	saved := func(c *domain.Contact) any { return SavedContext{message, c.ID} }
	c, err := f.rules.SetContactContext(ctx, wire.ScopeOf(ctx), in.ID, req, wire.Once(ctx, http.StatusOK, saved))
	if err != nil {
		return nil, err
	}
	return &contactAnswer[SavedContext]{Body: SavedContext{message, c.ID}}, nil
}

func (f *face) setBusinessContext(ctx context.Context, in *struct{ Body wire.Loose[ContextFields] }) (*contactAnswer[SavedBusiness], error) {
	req, err := in.Body.Value.values()
	if err != nil {
		return nil, err
	}
	const message = "Business context variables updated successfully"
	saved := func(all *map[string]any) any { return SavedBusiness{message, *all} }
	all, err := f.rules.SetBusinessContext(ctx, wire.ScopeOf(ctx), req, wire.Once(ctx, http.StatusOK, saved))
	if err != nil {
		return nil, err
	}
	return &contactAnswer[SavedBusiness]{Body: SavedBusiness{message, all}}, nil
}

// values translates the values of a request.
func (b *ContextFields) values() (people.ContextValues, error) {
	if !b.Variables.Sent || b.Variables.Null {
		return people.ContextValues{}, lacking("variables")
	}
	return people.ContextValues{Values: b.Variables.Value, AutoCreate: b.AutoCreate.Value}, nil
}
