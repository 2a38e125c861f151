package native

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/sheet"
)

// exportColumns are the columns of an export, before those of the variables: the
// contact as an import reads it, then what came of it.
var exportColumns = []sheet.Column{
	{Name: "phone_number", Kind: sheet.Phone}, {Name: "first_name"}, {Name: "last_name"}, {Name: "email"}, {Name: "company"},
	{Name: "timezone"}, {Name: "state"},
	{Name: "status"}, {Name: "result"}, {Name: "reason"}, {Name: "attempts", Kind: sheet.Number}, {Name: "last_call_id"},
	{Name: "last_call_at", Kind: sheet.Time}, {Name: "duration", Kind: sheet.Number},
}

func (f *face) campaignExportRoutes(rt *wire.Router) {
	rt.Raw(wire.Route{
		Method: http.MethodGet, Path: Root + "/campaigns/{id}/export", ID: "export-campaign", Scope: "campaigns:read",
		Summary: "Download the contacts of a campaign with their results",
	}, &huma.Operation{
		Description: "CSV with the columns phone_number, first_name, last_name, email, company, timezone, state, status, result, reason, attempts, " +
			"last_call_id, last_call_at, duration (seconds of the last call) and one for each variable; a variable that is named like one of these is " +
			"called variable_NAME. Cells that a spreadsheet would take for a formula begin with an apostrophe. The file can be imported again. " +
			"Needs the scope `campaigns:read`.",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Description: "The campaign's id.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "One line for each contact, in the order in which they were added.",
			Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}, f.exportCampaign)
}

func (f *face) exportCampaign(w http.ResponseWriter, r *http.Request) error {
	if err := wire.Allowed(r.Context(), "campaigns:read"); err != nil {
		return err
	}
	id := domain.ID(r.PathValue("id"))
	list, err := f.rules.ContactList(r.Context(), wire.ScopeOf(r.Context()), domain.KindCampaign, id)
	if err != nil {
		return err
	}
	return wire.Download(w, r, "campaign-"+string(id)+".csv", func(part func()) error { return exportContacts(w, r, part, list) })
}

// exportContacts writes a list to its end.
func exportContacts(w http.ResponseWriter, r *http.Request, part func(), list *outreach.ContactList) error {
	columns := exportColumns[:len(exportColumns):len(exportColumns)]
	for _, name := range list.Variables {
		columns = append(columns, sheet.Column{Name: exportName(name)})
	}
	sink := sheet.NewWriter(w, columns)
	for {
		rows, err := list.Next(r.Context())
		if err != nil {
			return err
		}
		part()
		if len(rows) == 0 {
			return sink.Flush()
		}
		for i := range rows {
			if err := sink.Write(exportRow(&rows[i], list.Variables)); err != nil {
				return err
			}
		}
		if err := sink.Flush(); err != nil {
			return err
		}
	}
}

// exportName is the column of a variable.
func exportName(variable string) string {
	for _, c := range exportColumns {
		if c.Name == variable {
			return "variable_" + variable
		}
	}
	return variable
}

// exportRow is a contact as the cells of exportColumns and of variables.
func exportRow(r *domain.Recipient, variables []string) []string {
	cells := make([]string, 0, len(exportColumns)+len(variables))
	cells = append(cells, r.Phone, r.FirstName, r.LastName, r.Email, r.Company, r.Timezone, r.Region,
		string(r.State), string(r.Result), r.Why, strconv.Itoa(len(r.Tries)), string(r.CallID))
	if len(r.Tries) == 0 {
		cells = append(cells, "", "")
	} else {
		last := &r.Tries[len(r.Tries)-1]
		cells = append(cells, last.At.UTC().Format(time.RFC3339), strconv.FormatInt(int64(last.Talk/time.Second), 10))
	}
	for _, name := range variables {
		cells = append(cells, cell(r.Variables[name]))
	}
	return cells
}

// cell is the value of a variable as text: what is not text already is JSON.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil { // a number that JSON has not
		return fmt.Sprint(v)
	}
	return string(raw)
}
